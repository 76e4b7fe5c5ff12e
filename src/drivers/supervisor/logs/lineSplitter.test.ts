import { array, assert, nat, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineSplitter } from './lineSplitter.ts'

function cut(chunks: Buffer[], lineBytes = 16): { lines: string[]; split: number } {
  const splitter = createLineSplitter(lineBytes)
  const lines = chunks.flatMap((chunk) => splitter.push(chunk))
  return { lines: [...lines, ...splitter.end()], split: splitter.split() }
}

describe('the line splitter', () => {
  it('cuts at newlines, drops carriage returns, and returns the last line without a newline', () => {
    expect(cut([Buffer.from('a\n\nb\r\nc')])).toEqual({ lines: ['a', '', 'b', 'c'], split: 0 })
    expect(cut([Buffer.from('a\n')]).lines).toEqual(['a'])
  })

  it('splits a longer line and counts it once', () => {
    expect(cut([Buffer.from('0123456789abcdefXY\nok')])).toEqual({ lines: ['0123456789abcdef', 'XY', 'ok'], split: 1 })
    expect(cut([Buffer.from('0123456789abcdef\n')])).toEqual({ lines: ['0123456789abcdef'], split: 0 })
    expect(cut([Buffer.from('x'.repeat(64))])).toEqual({ lines: Array(4).fill('x'.repeat(16)), split: 1 })
  })

  it('never cuts inside a character', () => {
    const { lines } = cut([Buffer.from('ä'.repeat(20))], 15)
    expect(lines.join('')).toBe('ä'.repeat(20))
    expect(lines[0]).toBe('ä'.repeat(7))
  })

  it('replaces bytes that are not UTF-8', () => {
    expect(cut([Buffer.from([0x61, 0xff, 0xc3, 0x0a])]).lines).toEqual(['a\uFFFD\uFFFD'])
    expect(cut([Buffer.alloc(20, 0x80)]).lines.join('')).toBe('\uFFFD'.repeat(20))
  })

  it('returns the same lines no matter how the bytes arrive', () => {
    assert(
      property(uint8Array({ maxLength: 300 }), array(nat(40)), (bytes, sizes) => {
        const whole = Buffer.from(bytes.map((byte) => (byte % 9 === 0 ? 0x0a : byte)))
        const chunks: Buffer[] = []
        let at = 0
        for (const size of sizes) chunks.push(whole.subarray(at, (at += size)))
        chunks.push(whole.subarray(at))
        const [one, many] = [cut([whole]), cut(chunks)]
        expect(many).toEqual(one)
        for (const line of one.lines) expect(Buffer.from(line.replaceAll('\uFFFD', '?')).length).toBeLessThanOrEqual(16)
      }),
    )
  })
})
