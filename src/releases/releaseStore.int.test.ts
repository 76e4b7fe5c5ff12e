import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { sha256 } from '../lib/hash.ts'
import { DirectoryStore } from './directoryStore.ts'
import { objectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import { removeTree } from './removeTree.ts'
import { collect } from './storeCollection.ts'
import { FakeReleaseStore } from './testing/fakeReleaseStore.ts'
import { releaseStoreConformance } from './testing/releaseStoreConformance.ts'

releaseStoreConformance('directory', async () => {
  const root = mkdtempSync(join(tmpdir(), 'store-'))
  onTestFinished(() => removeTree(root))
  const store = await DirectoryStore.open(root)
  return {
    store,
    damage: async (key) => {
      const { encoding } = await store.getPacked(key)
      writeFileSync(objectPath(root, key, encoding), 'damaged')
    },
    reopen: () => DirectoryStore.open(root),
  }
})

releaseStoreConformance('fake', async () => {
  const store = new FakeReleaseStore()
  return { store, damage: (key) => store.damage(key), reopen: null }
})

it('the fake fails as it is made to, once, and changes nothing then', async () => {
  const store = new FakeReleaseStore(() => 7)
  const bytes = Buffer.from('content')
  const key = objectKey('blob', sha256(bytes))
  store.failNext(new Error('the disk is full'))
  await expect(store.put({ key, encoding: 'raw', bytes })).rejects.toThrow('the disk is full')
  expect(await store.has([key])).toEqual(new Set())
  await store.put({ key, encoding: 'raw', bytes })
  for await (const { storedAtMs } of store.list()) expect(storedAtMs).toBe(7)
})

it('a collection of the fake removes what nothing refers to', async () => {
  const store = new FakeReleaseStore()
  const bytes = Buffer.from('unused')
  const key = objectKey('blob', sha256(bytes))
  await store.put({ key, encoding: 'raw', bytes })
  await collect(store, { keep: new Set(), lastPerService: 0, capBytes: null, published: [] })
  expect(store.removed).toEqual([key])
})
