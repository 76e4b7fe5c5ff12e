import { expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { seededRandom } from '../lib/testing/seededRandom.ts'
import { lastOf, lastWordsBytes, lastWordsLines, type LastWordsLine } from './lastWords.ts'

const { seed, count } = randomRun('last_words', { check: 200, soak: 20_000 })
const line = (text: string): LastWordsLine => ({ at: '2026-11-29T00:00:00.000Z', stream: 'out', text })

it('keeps short output whole', () => {
  const lines = ['one', '', 'three'].map(line)
  expect(lastOf(lines)).toEqual({ lines, cut: false })
  expect(lastOf([])).toEqual({ lines: [], cut: false })
})

it('keeps the end of a line that is too long, and splits no character', () => {
  for (const [character, more] of [
    ['é', ''],
    ['€', 'a'],
    ['🚀', 'ab'],
  ] as const) {
    const { lines, cut } = lastOf([line('before'), line(character.repeat(20_000) + more)])
    expect(cut).toBe(true)
    expect(lines).toHaveLength(1)
    const text = lines[0]?.text ?? ''
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(lastWordsBytes)
    expect(Buffer.byteLength(text)).toBeGreaterThan(lastWordsBytes - 4)
    expect(text.endsWith(character + more)).toBe(true)
    expect(text).not.toContain('\ufffd')
  }
})

it(`keeps the newest lines within the limits, whatever was written (seed ${seed})`, () => {
  const random = seededRandom(seed)
  const characters = ['a', 'é', '€', '🚀', '\u001b[2J', '<b>', '\r', '\u202e']
  for (let run = 0; run < count; run += 1) {
    const lines = Array.from({ length: Math.floor(random() * 1_000) }, () =>
      line((characters[Math.floor(random() * characters.length)] ?? '').repeat(Math.floor(random() ** 4 * 2_000))),
    )
    const { lines: kept, cut } = lastOf(lines)
    const bytes = kept.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    expect(bytes).toBeLessThanOrEqual(lastWordsBytes)
    expect(kept.length).toBeLessThanOrEqual(lastWordsLines)
    expect(cut).toBe(kept.length < lines.length || kept[0]?.text !== lines[0]?.text)
    expect(kept.slice(1)).toEqual(lines.slice(lines.length - kept.length + 1))
  }
})
