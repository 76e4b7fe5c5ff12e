import { expect, it } from 'vitest'
import { visible } from './visible.ts'

it('shows output as one line that does nothing to the text around it', () => {
  expect(visible('\u001b[31mred\u001b[0m <b>bold</b>')).toBe('red <b>bold</b>')
  expect(visible('\u001b]0;title\u0007after\u0007')).toBe('after␇')
  expect(visible('abc\u202edef\u2066')).toBe('abc·def·')
  expect(visible('a\r\nb\u009bc')).toBe('a␍␊b␡c')
  expect(visible('x'.repeat(1_000_000)).length).toBeLessThan(2_100)
})
