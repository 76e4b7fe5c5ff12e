import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionStore, StoredSession } from '../sessionStore.ts'

/** The promises that every store of sessions keeps, the one for tests included. */
export function sessionStoreConformance(
  name: string,
  make: () => Promise<{ store: SessionStore; again: () => Promise<SessionStore>; dispose(): Promise<void> }>,
): void {
  describe(`a store of sessions: ${name}`, () => {
    let tested: Awaited<ReturnType<typeof make>>
    let store: SessionStore

    beforeEach(async () => {
      tested = await make()
      store = tested.store
    })
    afterEach(() => tested.dispose())

    const session = (first: string, startedAt: number): StoredSession => ({
      ...{
        hash: first.repeat(64),
        token: 't'.repeat(64),
        tunnel: first === 'a' ? 'home' : null,
        startedAt,
        expiresAt: startedAt + 10,
      },
    })

    it('is empty at first', async () => {
      expect(await store.all()).toEqual([])
    })

    it('keeps sessions, oldest first, also for the next process', async () => {
      const [late, early] = [session('a', 2_000_000_000_000), session('b', 1)]
      await store.put(late)
      await store.put(early)
      expect(await store.all()).toEqual([early, late])
      const next = await tested.again()
      expect(await next.all()).toEqual([early, late])
    })

    it('replaces a session with the same hash', async () => {
      await store.put(session('a', 1))
      await store.put(session('a', 2))
      expect(await store.all()).toEqual([session('a', 2)])
    })

    it('removes exactly the sessions that are named', async () => {
      for (const one of [session('a', 1), session('b', 2), session('c', 3)]) await store.put(one)
      await store.remove([session('a', 1).hash, session('c', 3).hash, 'unknown', '%'])
      await store.remove([])
      expect(await store.all()).toEqual([session('b', 2)])
    })
  })
}
