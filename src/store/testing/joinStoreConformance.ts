import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JoinStore } from '../joinStore.ts'

/** The promises that every store of join tokens keeps, the one for tests included. */
export function joinStoreConformance(
  name: string,
  make: () => Promise<{ store: JoinStore; dispose(): Promise<void> }>,
): void {
  describe(`a store of join tokens: ${name}`, () => {
    let tested: Awaited<ReturnType<typeof make>>
    let store: JoinStore

    beforeEach(async () => {
      tested = await make()
      store = tested.store
    })
    afterEach(() => tested.dispose())

    it('lets one request take a token, the same request again, and no other', async () => {
      await store.put({ hash: 'h', machine: 'a', expiresAt: 1_000 }, 0)
      expect(await store.take('other', 'r1', 10)).toBeNull()
      expect(await store.take('h', 'r1', 10)).toBe('a')
      expect(await store.take('h', 'r2', 10)).toBeNull()
      expect(await store.take('h', 'r1', 10)).toBe('a')
      await store.giveBack('h')
      expect(await store.take('h', 'r2', 10)).toBe('a')
    })

    it('lets only one of several requests at the same time take a token', async () => {
      await store.put({ hash: 'h', machine: 'a', expiresAt: 1_000 }, 0)
      const taken = await Promise.all(['r1', 'r2', 'r3'].map((request) => store.take('h', request, 10)))
      expect(taken.filter((machine) => machine === 'a')).toHaveLength(1)
    })

    it('binds a token to the first key that comes with it', async () => {
      await store.put({ hash: 'h', machine: 'a', expiresAt: 1_000 }, 0)
      await store.put({ hash: 'i', machine: 'b', expiresAt: 1_000 }, 0)
      const bound = []
      for (const [hash, key] of [
        ['h', 'one'],
        ['h', 'two'],
        ['h', 'one'],
        ['i', 'two'],
      ] as const)
        bound.push(await store.bind(hash, key))
      expect(bound).toEqual(['first', 'refused', 'again', 'first'])
    })

    it('accepts a token until it expires', async () => {
      await store.put({ hash: 'h', machine: 'a', expiresAt: 1_000 }, 0)
      expect(await store.find('h', 1_000)).toEqual({ machine: 'a', isUsed: false })
      expect(await store.find('h', 1_001)).toBeNull()
      expect(await store.find('other', 0)).toBeNull()
      expect(await store.take('h', 'r1', 1_001)).toBeNull()
      expect(await store.take('h', 'r1', 1_000)).toBe('a')
      expect(await store.find('h', 1_000)).toEqual({ machine: 'a', isUsed: true })
    })

    it("revokes a machine's earlier token with its next one, and forgets a machine", async () => {
      await store.put({ hash: 'old', machine: 'a', expiresAt: 1_000 }, 0)
      await store.put({ hash: 'b', machine: 'b', expiresAt: 1_000 }, 0)
      await store.put({ hash: 'new', machine: 'a', expiresAt: 1_000 }, 0)
      const good = async (): Promise<boolean[]> =>
        Promise.all(['old', 'new', 'b'].map(async (hash) => (await store.find(hash, 10)) !== null))
      expect(await good()).toEqual([false, true, true])
      await store.forget('a')
      expect(await good()).toEqual([false, false, true])
    })
  })
}
