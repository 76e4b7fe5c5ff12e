import { beforeEach, describe, expect, it } from 'vitest'
import { superseded } from './snapshotSeries.ts'
import type { SnapshotKey } from './snapshotStore.ts'
import { Snapshots } from './snapshots.ts'
import { MemorySnapshotStore } from './testing/memorySnapshotStore.ts'

const every = 100
let store: MemorySnapshotStore
let unusable: number[]
let snapshots: Snapshots

const of = (version: string): Snapshots =>
  new Snapshots({ store, version, every, unusable: (position) => unusable.push(position) })
beforeEach(() => {
  store = new MemorySnapshotStore()
  unusable = []
  snapshots = of('v1')
})
const keep = async (...positions: number[]): Promise<void> => {
  for (const position of positions) await snapshots.keep({ position, text: `{"at":${position}}` })
}
const newest = (position = 1_000_000, from = snapshots): Promise<string | null> =>
  from.newest(position, ({ text }) => text)
const positions = async (): Promise<number[]> => (await store.list()).map(({ position }) => position)

describe('snapshots', () => {
  it('gives the newest one at or before a position', async () => {
    expect(await newest()).toBeNull()
    await keep(100, 200, 300)
    expect([await newest(), await newest(299), await newest(100), await newest(99)]).toEqual([
      ...['{"at":300}', '{"at":200}', '{"at":100}', null],
    ])
    expect(unusable).toEqual([])
  })

  it('ignores those of another version', async () => {
    await keep(100)
    await of('v2').keep({ position: 200, text: '"other"' })
    expect(await newest()).toBe('{"at":100}')
    expect(await newest(1_000, of('v2'))).toBe('"other"')
    expect(await newest(1_000, of('v3'))).toBeNull()
  })

  it.each([
    [
      'a changed byte',
      (content: Uint8Array) => content.map((byte, at) => (at === content.length - 1 ? byte ^ 1 : byte)),
    ],
    ['a changed checksum', (content: Uint8Array) => content.map((byte, at) => (at === 0 ? byte ^ 1 : byte))],
    ['only its beginning', (content: Uint8Array) => content.slice(0, -5)],
    ['no content', () => new Uint8Array()],
  ])('passes over one with %s, and says so', async (_, damage) => {
    await keep(100, 200)
    for (const [name, one] of store.kept) {
      if (one.position === 200) store.kept.set(name, { ...one, content: damage(one.content) })
    }
    expect(await newest()).toBe('{"at":100}')
    expect(unusable).toEqual([200])
  })

  it('passes over one that its reader refuses, and survives a store that cannot be read', async () => {
    await keep(100, 200)
    const picky = await snapshots.newest(1_000, ({ position }) => {
      if (position === 200) throw new Error('not this')
      return position
    })
    expect(picky).toBe(100)
    store.list = () => Promise.reject(new Error('database disk image is malformed'))
    expect(await newest()).toBeNull()
    expect(unusable).toEqual([200, 0])
  })

  it('keeps few of them, rarer with their age, and one of them before each past position', async () => {
    for (let at = every; at <= 100_000; at += every) {
      await keep(at)
      const kept = await positions()
      const age = (position: number): number => (at - position) / every
      expect(kept.length).toBeLessThanOrEqual(2 + Math.log2(at / every))
      expect(kept[0]).toBe(at)
      // Each is at most four times as old as the next newer one, counted in steps, and one step more.
      for (const [index, position] of kept.entries()) {
        const newer = kept[index - 1]
        if (newer !== undefined) expect(age(position)).toBeLessThanOrEqual(4 * age(newer) + 1)
      }
      expect(age(kept.at(-1) ?? 0) * 2).toBeGreaterThanOrEqual(at / every / 2 - 1)
    }
  })

  it('keeps two of other versions, for a downgrade', () => {
    const key = (version: string, position: number): SnapshotKey => ({ version, position })
    const others = [key('old', 10), key('old', 20), key('older', 15), key('v1', 5)]
    expect(superseded(key('v1', 30), others, every)).toEqual([key('old', 10)])
    // Of a later position, after a downgrade: the log is the same.
    expect(superseded(key('v1', 30), [key('v1', 40)], every)).toEqual([key('v1', 40)])
  })
})
