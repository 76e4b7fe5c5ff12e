import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../lib/hash.ts'
import { objectKey, objectKinds, type ObjectKey } from '../objectKey.ts'
import { pack, type PackedObject } from '../packedObject.ts'
import type { ReleaseStore, StoredObject } from '../releaseStore.ts'

interface Opened {
  store: ReleaseStore
  /** Changes the stored bytes of an object, like a bad disk. */
  damage: (key: ObjectKey) => void | Promise<void>
  /** The same storage opened again, as the next process would; `null` if it ends with its process. */
  reopen: (() => Promise<ReleaseStore>) | null
}

/** The promises that every release store keeps, the fake included. */
export function releaseStoreConformance(name: string, open: () => Promise<Opened>): void {
  describe(`a release store: ${name}`, () => {
    let opened: Opened
    let store: ReleaseStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })

    const text = (some: string): Buffer => Buffer.from(some)
    const object = (content: Buffer, kind: (typeof objectKinds)[number] = 'blob'): Promise<PackedObject> =>
      pack(objectKey(kind, sha256(content)), content)
    const put = async (content: Buffer, kind?: (typeof objectKinds)[number]): Promise<PackedObject> => {
      const made = await object(content, kind)
      await store.put(made)
      return made
    }
    const listed = async (from = store): Promise<StoredObject[]> => {
      const all: StoredObject[] = []
      for await (const one of from.list()) all.push(one)
      return all.toSorted((one, other) => (one.key < other.key ? -1 : 1))
    }

    it('is empty at first', async () => {
      const { key } = await object(text('never put'))
      expect([await store.has([key]), await listed(), store.usedBytes()]).toEqual([new Set(), [], 0])
      await expect(store.get(key)).rejects.toMatchObject({ code: 'E_RELEASE_GONE', subject: key })
      await expect(store.getPacked(key)).rejects.toMatchObject({ code: 'E_RELEASE_GONE', subject: key })
    })

    it('lists all objects, or those of one kind', async () => {
      const made = await Promise.all(objectKinds.map((kind) => put(text(`a ${kind}`), kind)))
      expect((await listed()).map(({ key }) => key)).toEqual(made.map(({ key }) => key).toSorted())
      for (const [index, kind] of objectKinds.entries()) {
        const some = await Array.fromAsync(store.list(kind))
        expect(some.map(({ key }) => key)).toEqual([made[index]?.key])
      }
    })

    it('gives back every kind of object, compressed or not, empty too', async () => {
      for (const kind of objectKinds) {
        for (const content of [text(''), text(`short ${kind}`), text(`long ${kind} `.repeat(5_000))]) {
          const { key, encoding, bytes } = await put(content, kind)
          expect(Buffer.from(await store.get(key)).equals(content)).toBe(true)
          const packed = await store.getPacked(key)
          expect([packed.key, packed.encoding, Buffer.from(packed.bytes).equals(bytes)]).toEqual([key, encoding, true])
        }
      }
    })

    it('keeps equal content of different kinds apart', async () => {
      const content = text('a file that looks like a tree')
      const { key } = await put(content)
      const tree = objectKey('tree', sha256(content))
      expect(await store.has([key, tree])).toEqual(new Set([key]))
      await store.remove([tree])
      expect(await store.has([key])).toEqual(new Set([key]))
    })

    it('lists each object once with its stored size and time, and counts the same bytes', async () => {
      const from = Date.now() - 2_000 // a file system may round times
      const objects = [
        await put(text('one')),
        await put(text('two '.repeat(1_000))),
        await put(text('three'), 'manifest'),
      ]
      const all = await listed()
      expect(all.map(({ key, bytes }) => [key, bytes])).toEqual(
        objects
          .map(({ key, bytes }) => [key, bytes.length])
          .toSorted(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
      )
      for (const { storedAtMs } of all) expect(storedAtMs).toBeGreaterThan(from)
      expect(store.usedBytes()).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0))
    })

    it('replaces an object with the same key, also in another encoding', async () => {
      const content = text('again '.repeat(1_000))
      const packed = await put(content)
      await store.put({ key: packed.key, encoding: 'raw', bytes: content })
      expect((await store.getPacked(packed.key)).encoding).toBe('raw')
      expect(await listed()).toMatchObject([{ key: packed.key, bytes: content.length }])
      await store.put(packed)
      expect(store.usedBytes()).toBe(packed.bytes.length)
      expect(Buffer.from(await store.get(packed.key)).equals(content)).toBe(true)
    })

    it('takes the same and different objects at the same time', async () => {
      const objects = await Promise.all(Array.from({ length: 50 }, (_, index) => object(text(`object ${index % 25}`))))
      await Promise.all(objects.map((one) => store.put(one)))
      expect(await store.has(objects.map(({ key }) => key))).toEqual(new Set(objects.map(({ key }) => key)))
      expect(await listed()).toHaveLength(25)
    })

    it('notices damage when it verifies, and can be healed by another put', async () => {
      const content = text('whole '.repeat(1_000))
      const packed = await put(content)
      await opened.damage(packed.key)
      await expect(store.get(packed.key)).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT', subject: packed.key })
      await store.put(packed)
      expect(Buffer.from(await store.get(packed.key)).equals(content)).toBe(true)
    })

    it('removes what is there, skips what is not, and forgets the bytes', async () => {
      const [one, two] = [await put(text('one')), await put(text('two'))]
      const { key: never } = await object(text('never put'))
      await store.remove([one.key, never, one.key])
      expect(await store.has([one.key, two.key, never])).toEqual(new Set([two.key]))
      expect(store.usedBytes()).toBe(two.bytes.length)
      await expect(store.get(one.key)).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
    })

    it('after a flush, the next process finds everything', async ({ skip }) => {
      skip(opened.reopen === null, 'this store ends with its process')
      const objects = [await put(text('one')), await put(text('two '.repeat(1_000)), 'tree')]
      await store.flush()
      const next = await opened.reopen?.()
      if (!next) return
      expect(await listed(next)).toEqual(await listed())
      expect(next.usedBytes()).toBe(store.usedBytes())
      for (const { key } of objects) expect(await next.get(key)).toEqual(await store.get(key))
    })
  })
}
