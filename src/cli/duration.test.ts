import { describe, expect, it } from 'vitest'
import { parseDuration, parseSince, showAge, showSeconds } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '10', 'm', '10 m', '-5m', '10x', '1h 30m', '5m!'])('refuses "%s"', (text) =>
    expect(parseDuration(text)).toBeNull(),
  )
})

describe('parseSince', () => {
  const now = Date.parse('2026-11-21T02:00:00Z')
  it('reads a duration as a time before now', () => expect(parseSince('10m', now)).toBe('2026-11-21T01:50:00.000Z'))
  it('reads a date', () => expect(parseSince('2026-11-20T23:00:00+01:00', now)).toBe('2026-11-20T22:00:00.000Z'))
  it('never returns a time before the epoch', () =>
    expect(parseSince('99999999w', now)).toBe('1970-01-01T00:00:00.000Z'))
  it.each(['yesterday', '10', '2026', '2026-13-40'])('refuses "%s"', (text) => expect(parseSince(text, now)).toBeNull())
})

it('shows seconds in a form that people can compare', () => {
  expect([0, 120, 999, 3_400, 59_940, 125_000].map(showSeconds)).toEqual([
    ...['0.00 s', '0.12 s', '1.00 s', '3.4 s', '59.9 s', '2m 05s'],
  ])
})

it('shows an age in the largest unit that is precise enough', () => {
  const now = Date.parse('2026-11-21T02:00:00Z')
  const ago = (ms: number): string => showAge(new Date(now - ms).toISOString(), now)
  expect([1_000, 12_000, 300_000, 7_200_000, 200_000_000].map(ago)).toEqual(['now', '12s', '5m', '2h', '2d'])
  expect(showAge(null, now)).toBe('-')
})
