import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { DirectoryStore } from './directoryStore.ts'
import { objectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import { ReleaseCache } from './releaseCache.ts'
import { makeTestFolder, noise, openTestDepot, writeFiles, type TestDepot } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'
import type { ReleaseSource } from './releaseTarget.ts'

let root: string
let remote: TestDepot
let cache: ReleaseCache
const files = { 'bin/server': 'serve', 'lib/a.js': 'a'.repeat(5000), 'lib/big.bin': noise(1_200_000, 7), 'public/': '' }

beforeEach(async () => {
  root = await makeTestFolder()
  await writeFiles(join(root, 'source'), files)
  await symlink('../lib/a.js', join(root, 'source/bin/a'))
  remote = await openTestDepot(join(root, 'store'))
  cache = await ReleaseCache.open(join(root, 'cache'))
})
afterEach(() => removeTree(root))

async function publishAndFetch(): Promise<string> {
  const { id } = await remote.publishFolder(join(root, 'source'))
  await cache.fetch(id, remote.depot)
  return id
}

const objectFiles = (key: string) => readdir(join(root, 'cache', key), { recursive: true })

describe('a materialised release', () => {
  it('is read-only, and none of its files shares an inode with anything else', async () => {
    const path = await cache.materialise(await publishAndFetch())
    for (const entry of await readdir(path, { recursive: true })) {
      const stats = await lstat(join(path, entry))
      if (stats.isSymbolicLink()) continue
      expect(stats.mode & 0o222, entry).toBe(0)
      if (stats.isFile()) expect(stats.nlink, entry).toBe(1)
    }
  })

  it('shares no inode with the release it was copied from', async () => {
    const first = await cache.materialise(await publishAndFetch())
    await writeFiles(join(root, 'source'), { 'lib/new.js': 'new' })
    const second = await cache.materialise(await publishAndFetch())
    expect(second).not.toBe(first)
    const inode = async (path: string) => (await stat(join(path, 'lib/big.bin'))).ino
    expect(await inode(second)).not.toBe(await inode(first))
    expect(await readFile(join(second, 'lib/big.bin'))).toEqual(files['lib/big.bin'])
  })

  const tampering: Record<string, (path: string) => Promise<unknown>> = {
    'writes to a file, keeping size and mtime': async (path) => {
      const { atime, mtime } = await stat(join(path, 'lib/a.js'))
      await chmod(join(path, 'lib/a.js'), 0o644)
      await writeFile(join(path, 'lib/a.js'), 'b'.repeat(5000))
      await chmod(join(path, 'lib/a.js'), 0o444)
      await utimes(join(path, 'lib/a.js'), atime, mtime)
    },
    'cuts a file short': async (path) => {
      await chmod(join(path, 'lib/big.bin'), 0o644)
      await truncate(join(path, 'lib/big.bin'), 100)
    },
    'makes a file executable': (path) => chmod(join(path, 'bin/server'), 0o755),
    'adds a file': async (path) => {
      await chmod(join(path, 'public'), 0o755)
      await writeFile(join(path, 'public/shell.php'), 'x')
      await chmod(join(path, 'public'), 0o555)
    },
    'adds a name that is not UTF-8': async (path) => {
      await chmod(join(path, 'public'), 0o755)
      await writeFile(Buffer.concat([Buffer.from(join(path, 'public/')), Buffer.of(0xff)]), 'x')
    },
    'removes a file': async (path) => {
      await chmod(join(path, 'bin'), 0o755)
      await rm(join(path, 'bin/server'))
    },
    'changes the target of a symlink': async (path) => {
      await chmod(join(path, 'bin'), 0o755)
      await rm(join(path, 'bin/a'))
      await symlink('/etc/passwd', join(path, 'bin/a'))
      await chmod(join(path, 'bin'), 0o555)
    },
    'replaces a folder by a symlink to the outside': async (path) => {
      await chmod(path, 0o755)
      await chmod(join(path, 'lib'), 0o755)
      await rename(join(path, 'lib'), join(root, 'taken'))
      await symlink('/etc', join(path, 'lib'))
      await chmod(path, 0o555)
    },
    'hard links a file elsewhere and writes there': async (path) => {
      await link(join(path, 'lib/a.js'), join(root, 'hard'))
      await chmod(join(root, 'hard'), 0o644)
      await writeFile(join(root, 'hard'), 'c'.repeat(5000))
      await chmod(join(root, 'hard'), 0o444)
    },
    'removes all permissions of a folder': (path) => chmod(join(path, 'lib'), 0o000),
    'removes the whole folder': (path) => removeTree(path),
  }

  for (const [what, tamper] of Object.entries(tampering)) {
    it(`is repaired before a start when an instance ${what}; nothing else is changed`, async () => {
      const other = await cache.materialise(await publishAndFetch())
      await writeFiles(join(root, 'source'), { 'lib/b.js': 'second' })
      const id = await publishAndFetch()
      const path = await cache.materialise(id)
      expect(await cache.open(id)).toBe(path)

      await tamper(path)
      expect(await cache.open(id)).toBe(path)
      expect(await readFile(join(path, 'lib/a.js'), 'utf8')).toBe(files['lib/a.js'])
      expect(await readFile(join(path, 'lib/big.bin'))).toEqual(files['lib/big.bin'])
      expect(await readFile(join(path, 'bin/a'), 'utf8')).toBe(files['lib/a.js'])
      expect(await readdir(join(path, 'public'))).toEqual([])
      expect((await stat(join(path, 'bin/server'))).mode & 0o777).toBe(0o444)
      expect(await readFile(join(other, 'lib/a.js'), 'utf8')).toBe(files['lib/a.js'])
      const store = await DirectoryStore.open(join(root, 'cache'))
      for await (const { key } of store.list()) await store.get(key)
    })
  }

  it('is left unchanged if nothing changed, so that running instances keep their files', async () => {
    const id = await publishAndFetch()
    const path = await cache.open(id)
    const before = await stat(path)
    await cache.open(id)
    expect((await stat(path)).ino).toBe(before.ino)
  })

  it('is hashed again after a boot: an older index is not trusted', async () => {
    const id = await publishAndFetch()
    const path = await cache.open(id)
    const index = join(root, 'cache/index', `${id}.json`)
    await chmod(join(path, 'lib/a.js'), 0o644)
    await writeFile(join(path, 'lib/a.js'), 'z'.repeat(5000))
    await chmod(join(path, 'lib/a.js'), 0o444)
    const { ino, size, mtimeNs, ctimeNs } = await stat(join(path, 'lib/a.js'), { bigint: true })
    const known = JSON.parse(await readFile(index, 'utf8'))
    known.fingerprints['lib/a.js'] = `${ino}:${size}:${mtimeNs}:${ctimeNs}` // like after a crash that lost content but no times
    await writeFile(index, JSON.stringify(known))
    const rebooted = await ReleaseCache.open(join(root, 'cache'), { bootId: 'another boot' })
    await rebooted.open(id)
    expect(await readFile(join(path, 'lib/a.js'), 'utf8')).toBe(files['lib/a.js'])
  })

  it('is made and opened although the index cannot be written', async () => {
    const id = await publishAndFetch()
    await removeTree(join(root, 'cache/index'))
    await writeFile(join(root, 'cache/index'), 'in the way')
    const path = await cache.materialise(id)
    expect(await cache.open(id)).toBe(path)
    expect(await readFile(join(path, 'lib/a.js'), 'utf8')).toBe(files['lib/a.js'])
  })

  it('is repaired from the source when its objects are damaged too, and refused without a source', async () => {
    const { id, description } = await remote.publishFolder(join(root, 'source'))
    await cache.fetch(id, remote.depot)
    const [key] = [...description.blobs].find(([, { bytes }]) => bytes === 5000) ?? [objectKey('blob', '')]
    await writeFile(objectPath(join(root, 'cache'), key, 'zstd'), 'garbage')
    await expect(cache.open(id)).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT', subject: id })
    expect(await readdir(join(root, 'cache/releases'))).toEqual([])
    const path = await cache.open(id, { source: remote.depot })
    expect(await readFile(join(path, 'lib/a.js'), 'utf8')).toBe(files['lib/a.js'])
    await removeTree(path)
    expect(await cache.open(id)).toBe(path)
  })

  it('is repaired from the source when every object of the cache is damaged, including its manifest and other releases', async () => {
    const other = await publishAndFetch()
    await cache.materialise(other)
    await writeFiles(join(root, 'source'), { 'lib/b.js': 'second' })
    const id = await publishAndFetch()
    for (const folder of ['manifests', 'trees', 'objects']) {
      const paths = (await objectFiles(folder)).map((name) => join(root, 'cache', folder, name))
      for (const path of paths) if ((await stat(path)).isFile()) await writeFile(path, 'garbage')
    }
    await expect(cache.open(id)).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT', subject: id })
    const path = await cache.open(id, { source: remote.depot })
    expect(await readFile(join(path, 'lib/b.js'), 'utf8')).toBe('second')
    expect(await cache.open(id)).toBe(path)
    await cache.collect(() => ({ keep: new Set([id]), lastPerService: 5, capBytes: null }))
    expect((await cache.list()).map((one) => one.id)).toEqual([id])
    expect(await cache.open(id)).toBe(path)
  })
})

describe('collection in a cache', () => {
  it('keeps the required releases and the last ones of each service, and removes folders with their releases', async () => {
    const ids: string[] = []
    for (let version = 0; version < 5; version++) {
      await writeFiles(join(root, 'source'), { version: `${version}` })
      ids.push(await publishAndFetch())
      await cache.materialise(ids[version] ?? '')
    }
    await cache.collect(() => ({ keep: new Set(ids.slice(0, 1)), lastPerService: 2, capBytes: null }))
    const left = (await cache.list()).map(({ id }) => id)
    expect(new Set(left)).toEqual(new Set([ids[0], ids[3], ids[4]]))
    expect(new Set(await readdir(join(root, 'cache/releases')))).toEqual(new Set(left))
    for (const id of left) await removeTree(join(root, 'cache/releases', id))
    for (const id of left) await cache.open(id)
    await cache.collect(() => ({ keep: new Set(), lastPerService: 2, capBytes: 0 }))
    expect(await cache.list()).toEqual([])
    expect(await cache.usedBytes()).toBe(0)
    expect(await objectFiles('objects').then((names) => names.filter((name) => name.includes('/')))).toEqual([])
  })

  it('keeps a release without a folder, which never ran, only if it is required', async () => {
    const ran = await publishAndFetch()
    await cache.materialise(ran)
    await writeFiles(join(root, 'source'), { 'lib/new.js': 'new' })
    const fetched = await publishAndFetch()
    const policy = { lastPerService: 1, capBytes: null }
    await cache.collect(() => ({ ...policy, keep: new Set([ran, fetched]) }))
    expect(await cache.has(fetched)).toBe(true)
    await cache.collect(() => ({ ...policy, keep: new Set() }))
    expect((await cache.list()).map(({ id }) => id)).toEqual([ran])
  })
})

describe('collection beside a fetch', () => {
  let held: { source: ReleaseSource; began: Promise<void>; letGo: () => void }
  let [here, coming] = ['', '']
  beforeEach(async () => {
    here = await publishAndFetch()
    await writeFiles(join(root, 'source'), { 'lib/new.js': 'new' })
    coming = (await remote.publishFolder(join(root, 'source'))).id
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const source: ReleaseSource = {
      async *fetch(keys) {
        began.resolve()
        await gate.promise
        yield* remote.depot.fetch(keys)
      },
    }
    held = { source, began: began.promise, letGo: gate.resolve }
  })
  const nothing = { keep: new Set<string>(), lastPerService: 0, capBytes: null }

  it('waits for the end of the fetch, and does not delay a start', async () => {
    const fetching = cache.fetch(coming, held.source)
    await held.began
    let asked = 0
    const policy = () => ({ ...nothing, keep: new Set(asked++ === 0 ? [coming] : []) })
    const collecting = [cache.collect(policy), cache.collect(policy)]
    await cache.open(here)
    expect(asked).toBe(0)
    held.letGo()
    await fetching
    const [first, second] = await Promise.all(collecting)
    expect(first?.removedReleases).toEqual([here])
    expect(second).toBe(first)
    expect((await cache.list()).map(({ id }) => id)).toEqual([coming])
  })

  it('does not wait for a fetch that has ended, successfully or not', async () => {
    const abort = new AbortController()
    const fetching = cache.fetch(coming, held.source, { signal: abort.signal })
    await held.began
    const collecting = cache.collect(() => nothing)
    abort.abort()
    held.letGo()
    await expect(fetching).rejects.toThrow('aborted')
    expect((await collecting).removedReleases).toEqual([here])
    expect((await cache.collect(() => nothing)).removedReleases).toEqual([])
  })
})

describe('a fetch', () => {
  it('killed at any point leaves nothing half-made, and the next fetch completes', async () => {
    const { seed, count } = randomRun('fetch_kills', { check: 4, soak: 200 })
    await mkdir(join(root, 'source/many'))
    for (let index = 0; index < 300; index++)
      await writeFile(join(root, `source/many/${index}`), noise(2000, seed + index))
    const { id } = await remote.publishFolder(join(root, 'source'))
    let random = seed
    for (let attempt = 0; attempt < count; attempt++) {
      random = (random * 1103515245 + 12345) % 2 ** 31
      await killAfterObjects(id, random % 400)
      const survivor = await ReleaseCache.open(join(root, 'cache'))
      expect((await readdir(join(root, 'cache/releases'))).filter((name) => name.startsWith('.'))).toEqual([])
      if (await survivor.has(id)) continue
      const store = await DirectoryStore.open(join(root, 'cache'))
      for await (const { key } of store.list()) await store.get(key)
    }
    const last = await ReleaseCache.open(join(root, 'cache'))
    await last.fetch(id, remote.depot)
    const path = await last.open(id)
    expect(await readFile(join(path, 'many/299'))).toEqual(noise(2000, seed + 299))
    expect((await readdir(join(path, 'many'))).length).toBe(300)
  })

  async function killAfterObjects(id: string, objects: number): Promise<void> {
    const child: ChildProcess = fork(new URL('./fetchingChild.ts', import.meta.url), [root, id], { stdio: 'inherit' })
    const exited = once(child, 'exit')
    child.on('message', (blobs: number) => {
      if (blobs >= objects) child.kill('SIGKILL')
    })
    await exited
  }

  it('refuses a source that sends wrong content, and keeps none of the content', async () => {
    const { id } = await remote.publishFolder(join(root, 'source'))
    const lying: ReleaseSource = {
      async *fetch(keys) {
        for await (const piece of remote.depot.fetch(keys)) {
          const copy = Buffer.from(piece)
          if (copy.length > 100) copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
          yield copy
        }
      },
    }
    await expect(cache.fetch(id, lying)).rejects.toMatchObject({ code: 'E_RELEASE_CORRUPT' })
    expect(await cache.list()).toEqual([])
  })

  it('ends when it is aborted, and continues later', async () => {
    const { id } = await remote.publishFolder(join(root, 'source'))
    const abort = new AbortController()
    const fetching = cache.fetch(id, remote.depot, { signal: abort.signal, onProgress: () => abort.abort() })
    await expect(fetching).rejects.toThrow('aborted')
    await cache.fetch(id, remote.depot)
    await cache.open(id)
  })
})
