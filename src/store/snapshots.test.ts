import { beforeEach, describe, expect, it } from 'vitest'
import { superseded } from './snapshotSeries.ts'
import { Snapshots } from './snapshots.ts'
import { MemorySnapshotStore } from './testing/memorySnapshotStore.ts'

const every = 100
let store: MemorySnapshotStore
let unusable: number[]
let snapshots: Snapshots

const limits = { spacing: 100, count: 1_000, bytes: 1_000_000 }
const of = (version: string, bounds = limits): Snapshots =>
  new Snapshots({ store, version, every, limits: bounds, unusable: (position) => unusable.push(position) })
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

  it('keeps the newest two and the first of each stretch, and says where one is missing', async () => {
    for (let at = 50; at <= 1_000; at += 50) await keep(at)
    expect(await positions()).toEqual([1_000, 950, 900, 800, 700, 600, 500, 400, 300, 200, 100, 50])
    const from = async (version: string, end: number): Promise<number[]> =>
      (await of(version).missing(end)).map(({ after }) => after + 1)
    expect(await from('v1', 1_099)).toEqual([])
    expect(await from('v1', 1_234)).toEqual([1_100, 1_200])
    expect(await from('v2', 350)).toEqual([100, 200, 300])
    expect((await of('v2').missing(150))[0]).toEqual({ after: 99, before: 200 })
    await of('v2').keep({ position: 205, text: '""' }, 350)
    expect(await from('v2', 350)).toEqual([100, 300])
  })

  it.each([{ count: 8 }, { bytes: 1_000 }])(
    'keeps no more than %o: then the stretches are twice as long',
    async (more) => {
      const few = of('v1', { ...limits, ...more })
      for (let at = every; at <= 100_000; at += every) {
        await few.keep({ position: at, text: `{"at":${at}}` })
        if (at % 700 > 0) continue
        const kept = (await store.list()).toReversed()
        const old = kept.slice(0, -2)
        expect(kept.at(-1)?.position).toBe(at)
        if ('count' in more) expect(old.length).toBeLessThanOrEqual(8)
        else expect(old.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(1_100) // about: the snapshots differ in size
        if (at >= 20 * every) expect(old.length).toBeGreaterThanOrEqual(4)
        const gaps = old.slice(1).map(({ position }, index) => position - (old[index]?.position ?? 0))
        expect(new Set(gaps.slice(1)).size).toBeLessThanOrEqual(1)
        expect(await few.missing(at)).toEqual([])
      }
    },
  )

  it('takes in one of the past, unless it is not needed', async () => {
    await keep(950, 1_000)
    for (const position of [410, 100, 450]) await snapshots.keep({ position, text: '""' }, 1_000)
    expect(await positions()).toEqual([1_000, 950, 410, 100])
  })

  it('keeps two of other versions, for a downgrade', () => {
    const key = (version: string, position: number) => ({ version, position, bytes: 1 })
    const all = [key('old', 10), key('old', 20), key('older', 15), key('v1', 5), key('v1', 30)]
    expect(superseded('v1', 30, all, limits)).toEqual([{ version: 'old', position: 10 }])
    // Of a position that the log does not have: it was restored.
    expect(superseded('v1', 30, [key('v1', 40), key('v1', 30)], limits)).toEqual([{ version: 'v1', position: 40 }])
  })
})
