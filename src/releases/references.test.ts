import { expect, it } from 'vitest'
import { sha256 } from '../lib/hash.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import { pack } from './packedObject.ts'
import { References } from './references.ts'
import { FakeReleaseStore } from './testing/fakeReleaseStore.ts'
import { encodeTree } from './tree.ts'

/** A folder of one file, in a store; returns the keys of the folder and of the file. */
async function folderIn(store: FakeReleaseStore, content: string): Promise<{ tree: ObjectKey; blob: ObjectKey }> {
  const id = sha256(content)
  const bytes = encodeTree({
    entries: [{ type: 'file', name: 'a', mode: 0o644, size: content.length, sha256: id }],
  })
  const tree = objectKey('tree', sha256(bytes))
  await store.put(await pack(tree, bytes))
  return { tree, blob: objectKey('blob', id) }
}

it('reads each object once, until it is stored no longer', async () => {
  const [store, references] = [new FakeReleaseStore(), new References()]
  const { tree, blob } = await folderIn(store, 'one')
  expect(await references.of(store, tree)).toEqual([blob])
  store.failNext(new Error('was read again'))
  expect(await references.of(store, tree)).toEqual([blob])
  references.keep(new Set())
  await expect(references.of(store, tree)).rejects.toThrow('was read again')
  expect(await references.of(store, tree)).toEqual([blob])
})

it('does not remember a damaged object, and reads it when it is well again', async () => {
  const [store, references] = [new FakeReleaseStore(), new References()]
  const { tree, blob } = await folderIn(store, 'one')
  store.damage(tree)
  expect(await references.of(store, tree)).toEqual([])
  await folderIn(store, 'one')
  expect(await references.of(store, tree)).toEqual([blob])
})

it('remembers no more than its limit, and reads the others each time', async () => {
  const [store, references] = [new FakeReleaseStore(), new References(1)]
  const [one, two] = [await folderIn(store, 'one'), await folderIn(store, 'two')]
  await references.of(store, one.tree)
  await references.of(store, two.tree)
  store.failNext(new Error('was read again'))
  expect(await references.of(store, one.tree)).toEqual([one.blob])
  await expect(references.of(store, two.tree)).rejects.toThrow('was read again')
  references.keep(new Set([two.tree]))
  await references.of(store, two.tree)
  store.failNext(new Error('was read again'))
  expect(await references.of(store, two.tree)).toEqual([two.blob])
})
