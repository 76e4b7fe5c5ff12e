import { describe, expect, it } from 'vitest'
import { filesFor, maxconnFor, roomIn, shortageOf, unitOpenFiles } from './openFiles.ts'

describe('open files', () => {
  it('for 10,000 connections are 40,000 if other machines forward all of them, plus 2,000 for HAProxy itself', () => {
    expect(filesFor(10_000)).toBe(42_000)
    expect(maxconnFor(10_000)).toBe(21_000)
    expect(unitOpenFiles).toBe(65_536)
  })

  it('are enough from there on: the connections are not limited, and nothing is reported', () => {
    for (const given of [null, 42_000, 65_536]) {
      const room = roomIn(given, 10_000)
      expect(room).toEqual({ connections: 10_000, weighted: null })
      expect(shortageOf(room, given)).toBeNull()
    }
  })

  it('that are fewer allow half as many clients, and a quarter as many forwarded connections', () => {
    expect(roomIn(20_000, 10_000)).toEqual({ connections: 10_000, weighted: 9_000 })
    expect(roomIn(41_999, 10_000).weighted).toBe(19_999)
    expect(shortageOf(roomIn(20_000, 10_000), 20_000)).toMatch(
      /^HAProxy may open 20000 files: it accepts 9000 connections of clients at once, or 4500 that other machines forward, and refuses more\. 10000 of either kind need 42000 files\./,
    )
    expect(shortageOf(roomIn(30_000, 10_000), 30_000)).toContain(
      'it accepts 10000 connections of clients at once, or 7000 that',
    )
  })

  it('that are very few still allow one connection', () => {
    for (const given of [0, 1, 7]) expect(roomIn(given, 10_000).weighted).toBeGreaterThan(0)
  })
})
