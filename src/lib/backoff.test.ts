import { expect, it } from 'vitest'
import { Backoff } from './backoff.ts'

it('doubles up to its limit, takes off a random part of up to a half, and starts again after a reset', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 500 }, () => 0)
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 500, 500])
  backoff.reset()
  expect(backoff.next()).toBe(100)
  expect(new Backoff({ firstMs: 100, mostMs: 500 }, () => 0.999).next()).toBeCloseTo(50, 0)
})
