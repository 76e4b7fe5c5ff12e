import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SecretStore, StoredVersion } from '../secretStore.ts'

interface Tested {
  store: SecretStore
  /** Everything that is on disk. */
  disk: () => Buffer
  dispose(): Promise<void>
}

const version = (path: string, number: number, word = `${path} ${number}`): StoredVersion => ({
  ...{ path, version: number, root: 'r1' },
  wrapped: Buffer.from(`key of ${word}`),
  content: Buffer.from(`content of ${word}`),
})

/** The promises that every store of secrets keeps, the one for tests included. */
export function secretStoreConformance(name: string, make: () => Promise<Tested>): void {
  describe(`a store of secrets: ${name}`, () => {
    let tested: Tested
    let store: SecretStore

    beforeEach(async () => {
      tested = await make()
      store = tested.store
    })
    afterEach(() => tested.dispose())

    const read = async (path: string, number: number): Promise<string | null> => {
      const found = await store.get(path, number)
      return found && `${Buffer.from(found.wrapped).toString()}, ${Buffer.from(found.content).toString()}`
    }

    it('has nothing at first, and every call works', async () => {
      expect([await store.get('shop/db', 1), await store.keys()]).toEqual([null, []])
      await store.destroy('shop/db', [1])
      await store.rewrap([version('shop/db', 1)])
      expect(await store.keys()).toEqual([])
    })

    it('keeps each version by its path; a version that is put again is replaced', async () => {
      for (const one of [version('shop/db', 2), version('shop/db', 1), version('shop', 1)]) await store.put(one)
      expect(await read('shop/db', 1)).toBe('key of shop/db 1, content of shop/db 1')
      await store.put(version('shop/db', 1, 'other'))
      expect([await read('shop/db', 1), await read('shop', 1), await read('shop', 2)]).toEqual([
        'key of other, content of other',
        'key of shop 1, content of shop 1',
        null,
      ])
      expect((await store.keys()).map((one) => `${one.path} ${one.version}`)).toEqual([
        'shop 1',
        'shop/db 1',
        'shop/db 2',
      ])
    })

    it('destroys versions for good, and no others', async () => {
      for (const number of [1, 2, 3]) await store.put(version('shop/db', number, `needle-${number}-of-hay`))
      await store.put(version('other/db', 1))
      await store.destroy('shop/db', [1, 3, 9])
      expect([await read('shop/db', 1), await read('shop/db', 3)]).toEqual([null, null])
      expect((await store.keys()).map((one) => `${one.path} ${one.version}`)).toEqual(['other/db 1', 'shop/db 2'])
      expect([1, 2, 3].map((number) => tested.disk().includes(`needle-${number}-of-hay`))).toEqual([false, true, false])
    })

    it('replaces wrapped keys for good, and leaves the contents', async () => {
      for (const number of [1, 2]) await store.put(version('shop/db', number))
      const keys = (await store.keys()).map((key) => ({
        ...key,
        root: 'r2',
        wrapped: Buffer.from(`new ${key.version}`),
      }))
      await store.rewrap(keys)
      expect(await read('shop/db', 2)).toBe('new 2, content of shop/db 2')
      expect((await store.keys()).map(({ root }) => root)).toEqual(['r2', 'r2'])
      expect([tested.disk().includes('key of shop/db'), tested.disk().includes('content of shop/db')]).toEqual([
        false,
        true,
      ])
    })
  })
}
