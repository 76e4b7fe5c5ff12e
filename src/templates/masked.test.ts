import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { ValueSearch } from '../lib/testing/valueSearch.ts'
import { masked } from './masked.ts'

const hide = (text: string, ...values: string[]): string =>
  masked(
    text,
    values.map((value) => Buffer.from(value)),
  )

it('hides values in the forms in which programs print them', () => {
  const value = 'Tr0ub4dor&3 "x"\nsecond line'
  for (const form of [
    value,
    value.toUpperCase(),
    JSON.stringify(value),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
    Buffer.from(value).toString('base64url'),
    Buffer.from(value).toString('hex').toUpperCase(),
    'Tr0ub4dor&amp;3 &#34;x&#34;',
    'second line',
  ])
    expect(hide(`bad: ${form} end`, value)).toMatch(/^bad: "?\*{8}(=|"|\n)* end$/)
})

it('hides parts of 8 characters, and whole values that are shorter', () => {
  expect(hide('line 7: correct hor… is wrong', 'correct horse battery')).toBe('line 7: ********… is wrong')
  expect(hide('pin 1234, at 12:34', '1234')).toBe('pin ********, at 12:34')
  expect(hide('nothing', 'x', '')).toBe('nothing')
})

it('hides them in base64 of a longer text, wherever they stand in it', () => {
  const values = ['correct horse battery', 'k3v9m2x7q4w8', 'Gültig?>~"\\\n-und-lang']
  const search = new ValueSearch(values.filter((value) => value !== 'correct horse battery'))
  for (const value of values)
    for (const before of ['', 'i', 'id', 'ida', 'ida:'])
      for (const after of ['', 'z', 'zz'])
        for (const encoding of ['base64', 'base64url'] as const) {
          const shown = hide(`Basic ${Buffer.from(before + value + after).toString(encoding)} end`, value)
          expect(shown).toContain('********')
          expect(Buffer.from(shown.slice(6, -4), 'base64').toString()).not.toContain(value.slice(3, 9))
          expect(search.in(Buffer.from(shown)), shown).toEqual([])
        }
})

it('leaves no part of many values, and all of the rest', () => {
  for (let round = 0; round < 50; round++) {
    const value = createHash('sha256').update(String(round)).digest('base64')
    const text = `before ${value}${value} between ${value.slice(3, 20)} after`
    expect(hide(text, value)).toBe('before ******** between ******** after')
  }
})

it('takes little time for long values', () => {
  expect(hide('x'.repeat(16_000), 'x'.repeat(65_536))).toBe('********')
})
