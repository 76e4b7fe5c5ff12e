import { describe, expect, it } from 'vitest'
import { filesFor, maxconnFor, roomIn, shortageOf, unitOpenFiles } from './openFiles.ts'

describe('open files', () => {
  it('of 10,000 connections are 40,000 where other machines forward all of them, and 2,000 of its own', () => {
    expect(filesFor(10_000)).toBe(42_000)
    expect(maxconnFor(10_000)).toBe(21_000)
    expect(unitOpenFiles).toBe(65_536)
  })

  it('are enough from there on: no less is taken, and nothing is said', () => {
    for (const given of [null, 42_000, 65_536]) {
      const room = roomIn(given, 10_000)
      expect(room).toEqual({ connections: 10_000, weighted: null })
      expect(shortageOf(room, given)).toBeNull()
    }
  })

  it('that are fewer hold as many clients as they are halves, and half as many that are forwarded', () => {
    expect(roomIn(20_000, 10_000)).toEqual({ connections: 10_000, weighted: 9_000 })
    expect(roomIn(41_999, 10_000).weighted).toBe(19_999)
    expect(shortageOf(roomIn(20_000, 10_000), 20_000)).toMatch(
      /^HAProxy may open 20000 files: it takes 9000 connections of clients at once, or 4500 that other machines forward, and refuses more\. 10000 of either kind need 42000 files\./,
    )
    expect(shortageOf(roomIn(30_000, 10_000), 30_000)).toContain(
      'it takes 10000 connections of clients at once, or 7000 that',
    )
  })

  it('that are hardly any still hold one connection', () => {
    for (const given of [0, 1, 7]) expect(roomIn(given, 10_000).weighted).toBeGreaterThan(0)
  })
})
