import { expect, it } from 'vitest'
import { harmless, visible } from './visible.ts'

it('shows output as one line that does nothing to the text around it', () => {
  expect(visible('\u001b[31mred\u001b[0m <b>bold</b>')).toBe('red <b>bold</b>')
  expect(visible('\u001b]0;title\u0007after\u0007')).toBe('after␇')
  expect(visible('abc\u202edef\u2066')).toBe('abc·def·')
  expect(visible('a\r\nb\u009bc')).toBe('a␍␊b␡c')
  expect(visible('sm\u00adall \u061c\u180e\u{e0041}tags\ufff9')).toBe('sm·all ···tags·')
  expect(visible('x'.repeat(1_000_000)).length).toBeLessThan(2_100)
})

it('keeps the lines of other texts, and letters of every script', () => {
  expect(harmless('a\u202ecba\n\tb\u001b[2Jc\u2028')).toBe('a·cba\n\tb␛[2Jc·')
  const letters = 'שלום\u0301 日本 😀\ufe0f'
  expect([harmless(letters), visible(letters)]).toEqual([letters, letters])
})
