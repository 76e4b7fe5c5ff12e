import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredToken, TokenStore } from '../tokenStore.ts'

/** The promises that every store of tokens keeps, the one for tests included. */
export function tokenStoreConformance(
  name: string,
  make: () => Promise<{ store: TokenStore; dispose(): Promise<void> }>,
): void {
  describe(`a store of tokens: ${name}`, () => {
    let tested: Awaited<ReturnType<typeof make>>
    let store: TokenStore

    beforeEach(async () => {
      tested = await make()
      store = tested.store
    })
    afterEach(() => tested.dispose())

    const token = (first: string, over: Partial<StoredToken> = {}): StoredToken => ({
      ...{ hash: first.repeat(64).slice(0, 64), role: 'operator', machine: null, name: first },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', ...over },
    })

    it('keeps tokens of each role, oldest first', async () => {
      const late = token('a', { createdAt: '2026-03-01T00:00:00.000Z' })
      const agent = token('b', { role: 'agent', machine: 'web-1', name: "agent's token" })
      const reader = token('c', { role: 'reader', createdAt: '2026-02-01T00:00:00.000Z' })
      for (const one of [late, agent, reader]) await store.put(one)
      expect(await store.all()).toEqual([agent, reader, late])
    })

    it('replaces a token with the same hash', async () => {
      await store.put(token('a'))
      await store.put(token('a', { role: 'reader' }))
      expect(await store.all()).toEqual([token('a', { role: 'reader' })])
    })

    it('removes by the beginning of the hash, and returns the removed hashes', async () => {
      for (const one of [token('ab'), token('ac'), token('b')]) await store.put(one)
      expect((await store.remove('a')).toSorted()).toEqual([token('ab').hash, token('ac').hash])
      expect(await store.remove('a')).toEqual([])
      // Not a pattern, and only the beginning.
      for (const other of ['%', '_', '*', 'bbbc']) expect(await store.remove(other)).toEqual([])
      expect(await store.all()).toEqual([token('b')])
    })
  })
}
