import { expect, it } from 'vitest'
import { oneOf } from './oneOf.ts'

it('finds an id by itself, also where others begin with it, and by an unambiguous prefix', () => {
  const ids = ['shop-1', 'shop-12', 'cart-1']
  expect(['shop-1', 'shop-12', 'c', 'x'].map((prefix) => oneOf(prefix, ids, 'instances'))).toEqual([
    ...['shop-1', 'shop-12', 'cart-1', null],
  ])
})

it('refuses an ambiguous prefix, and lists the first ten ids', () => {
  const ids = Array.from({ length: 12 }, (_, index) => `r-${index}-0123456789`)
  expect(() => oneOf('r', ids, 'rollouts', (id) => id.slice(0, 3))).toThrow(
    expect.objectContaining({
      ...{ code: 'E_AMBIGUOUS', message: 'r matches 12 rollouts', subject: 'r' },
      next: 'type more characters: r-0, r-1, r-2, r-3, r-4, r-5, r-6, r-7, r-8, r-9',
    }),
  )
})
