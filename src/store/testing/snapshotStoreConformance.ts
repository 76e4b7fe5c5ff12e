import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SnapshotStore } from '../snapshotStore.ts'

/** The promises that every store of snapshots keeps, the one for tests included. */
export function snapshotStoreConformance(
  name: string,
  make: () => Promise<{ store: SnapshotStore; dispose(): Promise<void> }>,
): void {
  describe(`a store of snapshots: ${name}`, () => {
    let tested: Awaited<ReturnType<typeof make>>
    let store: SnapshotStore

    beforeEach(async () => {
      tested = await make()
      store = tested.store
    })
    afterEach(() => tested.dispose())

    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
    const at = (position: number, version = 'v1') => ({ version, position })

    it('is empty at first', async () => {
      expect([await store.list(), await store.read(at(1))]).toEqual([[], null])
    })

    it('keeps the bytes of each version and position, and lists the newest first', async () => {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index)
      await store.put(at(5), all, [])
      await store.put(at(20), bytes('twenty'), [])
      await store.put(at(10, 'v2'), bytes('of another version'), [])
      expect(await store.list()).toEqual([
        { ...at(20), bytes: 6 },
        { ...at(10, 'v2'), bytes: 18 },
        { ...at(5), bytes: 256 },
      ])
      expect(Buffer.from((await store.read(at(5))) ?? [])).toEqual(Buffer.from(all))
      expect(await store.read(at(10))).toBeNull()
      expect(await store.read(at(5, 'v2'))).toBeNull()
    })

    it('removes the superseded ones with the next one, and replaces one at the same position', async () => {
      for (const position of [1, 2, 3]) await store.put(at(position), bytes('old'), [])
      await store.put(at(3), bytes('new'), [at(1), at(2), at(99)])
      expect(await store.list()).toEqual([{ ...at(3), bytes: 3 }])
      expect(Buffer.from((await store.read(at(3))) ?? []).toString()).toBe('new')
    })
  })
}
