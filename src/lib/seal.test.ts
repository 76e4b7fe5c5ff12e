import { describe, expect, it } from 'vitest'
import { sealed, sealOf, unsealed } from './seal.ts'

describe('a seal', () => {
  const text = sealed('global\n  maxconn 5\n')
  it('shows whether the text was changed', () => {
    expect(sealOf(text)).toBe('whole')
    expect(sealOf(text.replace('5', '6'))).toBe('changed')
    expect(sealOf(`${text}more\n`)).toBe('changed')
    expect(sealOf(`more\n${text}`)).toBe('changed')
    expect(sealOf('global\n')).toBe('none')
    expect(unsealed(text)).toBe('global\n  maxconn 5\n')
    expect(unsealed('global\n')).toBe('global\n')
  })
  it('is the same for the same text, and adds a missing end of line', () => {
    expect(sealed('a')).toBe(sealed('a\n'))
  })
})
