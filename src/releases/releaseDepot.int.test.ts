import { readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../lib/clock.ts'
import { sha256 } from '../lib/hash.ts'
import { describeFolder } from './describeFolder.ts'
import { DirectoryStore } from './directoryStore.ts'
import { readManifest } from './manifest.ts'
import { encodeFrames } from './objectFrames.ts'
import { objectKey, splitKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import { pack } from './packedObject.ts'
import { publish } from './publish.ts'
import { definition, makeTestFolder, noise, openTestDepot, writeFiles, type TestDepot } from './releaseFixture.ts'
import { readListing } from './releaseListing.ts'
import { removeTree } from './removeTree.ts'
import { encodeTree } from './tree.ts'

let root: string
let now: number
let remote: TestDepot
const clock = { ...systemClock, now: () => now, monotonic: () => now }
const leaseMs = 15 * 60_000

beforeEach(async () => {
  root = await makeTestFolder()
  now = 0
  remote = await openTestDepot(join(root, 'store'), { clock })
})
afterEach(() => removeTree(root))

async function publishVersion(version: number, service = 'shop'): Promise<string> {
  await writeFiles(join(root, service), { 'lib/same': noise(2000, 1), 'lib/deep/version': `${service} ${version}` })
  const { id } = await remote.publishFolder(join(root, service), service)
  remote.policy.published = [...remote.policy.published, { release: id, service, at: version }]
  return id
}

async function expectWhole(id: string): Promise<void> {
  const { tree } = await readManifest(remote.depot, id)
  const { blobs } = await readListing(tree, remote.depot)
  for (const key of blobs.keys()) await remote.store.get(key)
}

describe('publishing', () => {
  it('sends only missing objects: one file and the folders above it', async () => {
    await publishVersion(1)
    await writeFiles(join(root, 'shop'), { 'lib/deep/version': 'new' })
    const { sentObjects } = await remote.publishFolder(join(root, 'shop'))
    expect(sentObjects).toBe(1 + 3 + 1)
  })

  it('by several publishers at the same time makes every release complete', async () => {
    const ids = await Promise.all([publishVersion(1, 'one'), publishVersion(1, 'two'), publishVersion(1, 'three')])
    for (const id of ids) await expectWhole(id)
    const reopened = await DirectoryStore.open(join(root, 'store'))
    expect(remote.store.usedBytes()).toBe(reopened.usedBytes())
  })

  it('is refused when a file changed after it was described, and nothing is committed', async () => {
    await writeFiles(join(root, 'shop'), { a: 'before' })
    const description = await describeFolder(join(root, 'shop'), { definition })
    await writeFiles(join(root, 'shop'), { a: 'behind' })
    await expect(publish(description, remote.depot)).rejects.toMatchObject({ code: 'E_RELEASE_CONTENT' })
    expect(await remote.depot.findReleases('')).toEqual([])
  })

  it('makes a release that is found by a prefix of its id', async () => {
    const id = await publishVersion(1)
    expect(await remote.depot.findReleases(id.slice(0, 12))).toEqual([id])
  })

  it('accepts no tree before the objects it refers to, and no manifest as an object', async () => {
    const bytes = encodeTree({ entries: [{ type: 'file', name: 'a', mode: 0o644, size: 1, sha256: sha256('a') }] })
    const tree = await pack(objectKey('tree', sha256(bytes)), bytes)
    await expect(remote.depot.put(encodeFrames([tree]))).rejects.toMatchObject({ code: 'E_RELEASE_INCOMPLETE' })
    const manifest = await pack(objectKey('manifest', sha256('m')), Buffer.from('m'))
    await expect(remote.depot.put(encodeFrames([manifest]))).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('does not treat a file that reads like a tree as a tree', async () => {
    const bytes = encodeTree({ entries: [{ type: 'file', name: 'a', mode: 0o644, size: 1, sha256: sha256('a') }] })
    await writeFiles(join(root, 'shop'), { 'tree.json': bytes })
    await remote.publishFolder(join(root, 'shop'))
    const key = objectKey('tree', sha256(bytes))
    expect(await remote.depot.missing([key])).toEqual([key])
  })

  it('sends objects again that were lost or damaged in the store', async () => {
    const id = await publishVersion(1)
    const lost = objectKey('blob', sha256(noise(2000, 1)))
    await rename(objectPath(join(root, 'store'), lost, 'raw'), join(root, 'lost'))
    expect(await publishVersion(1)).toBe(id)
    await expectWhole(id)

    await writeFile(objectPath(join(root, 'store'), lost, 'raw'), 'rot')
    const reading = remote.depot.fetch([lost])[Symbol.asyncIterator]()
    await reading.next()
    await expect(reading.next()).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT' })
    await expect(readManifest(remote.depot, id)).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
    await publishVersion(1)
    await expectWhole(id)
  })

  it('removes the temporary files of a killed process', async () => {
    await writeFile(join(root, 'store/tmp/half'), 'half')
    await DirectoryStore.open(join(root, 'store'))
    expect(await readdir(join(root, 'store/tmp'))).toEqual([])
  })
})

describe('collection', () => {
  it('keeps the required releases and the last ones of each service complete', async () => {
    const ids: string[] = []
    for (let version = 0; version < 8; version++) ids.push(await publishVersion(version))
    const other = await publishVersion(0, 'other')
    now += leaseMs + 1
    remote.policy.keep = new Set([ids[0] ?? ''])
    remote.policy.lastPerService = 2
    const { removedReleases } = await remote.depot.collect()
    expect(removedReleases.sort()).toEqual(ids.slice(1, 6).sort())
    for (const id of [ids[0], ids[6], ids[7], other]) await expectWhole(id ?? '')
    const kept: string[] = []
    for await (const { key } of remote.store.list()) if (splitKey(key).kind === 'blob') kept.push(key)
    expect(kept.length).toBe(1 + 3 + 1)
  })

  it('announces releases before their removal, and plans again if one is needed by now', async () => {
    const id = await publishVersion(1)
    const other = await publishVersion(2)
    now += leaseMs + 1
    remote.policy.published = []
    const asked: string[][] = []
    remote.letGo = (releases) => {
      asked.push([...releases].sort())
      remote.policy.keep = new Set([id])
      return asked.length > 1
    }
    expect((await remote.depot.collect()).removedReleases).toEqual([other])
    expect(asked).toEqual([[id, other].sort(), [other]])
    await expectWhole(id)
    remote.letGo = () => false
    remote.policy.keep = new Set()
    await expect(remote.depot.collect()).rejects.toThrow('needed')
    await expectWhole(id)
  })

  it('keeps the objects that a push in progress counts on, however old they are', async () => {
    const id = await publishVersion(1)
    const { tree } = await readManifest(remote.depot, id)
    remote.policy.published = []
    now += leaseMs + 1
    expect(await remote.depot.missing([objectKey('tree', tree)])).toEqual([])
    now += leaseMs - 1
    await remote.depot.collect()
    await expectWholeTree(tree)
    now += 2
    await remote.depot.collect()
    expect(remote.store.usedBytes()).toBe(0)
  })

  async function expectWholeTree(tree: string): Promise<void> {
    const { blobs } = await readListing(tree, remote.depot)
    expect(await remote.store.has([...blobs.keys()])).toEqual(new Set(blobs.keys()))
  }

  it('makes room for a push within the cap, oldest first, and refuses a push that cannot fit', async () => {
    remote = await openTestDepot(join(root, 'capped'), { clock, capBytes: 100_000 })
    const push = async (version: number, bytes = 30_000) => {
      await writeFiles(join(root, 'shop'), { content: noise(bytes, version) })
      const { id } = await remote.publishFolder(join(root, 'shop'))
      remote.policy.published = [...remote.policy.published, { release: id, service: 'shop', at: version }]
      now += leaseMs + 1
      return id
    }
    const ids = [await push(1), await push(2), await push(3), await push(4)]
    expect((await remote.depot.findReleases('')).sort()).not.toContain(ids[0])
    await expectWhole(ids[3] ?? '')
    expect(remote.store.usedBytes()).toBeLessThanOrEqual(100_000)

    remote.policy.keep = new Set(ids.slice(2))
    await expect(push(5, 60_000)).rejects.toMatchObject({ code: 'E_STORE_FULL' })
    for (const id of ids.slice(2)) await expectWhole(id)
  })
})
