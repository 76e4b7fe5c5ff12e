import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { randomId } from '../lib/ids.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { smallFileBytes, syncFolder, writeDurably } from './durableWrite.ts'
import { objectKey, objectKinds, type ObjectKey, type ObjectKind } from './objectKey.ts'
import { encodingSuffixes, kindFolders, objectPath } from './objectPaths.ts'
import { unpack, type Encoding, type PackedObject } from './packedObject.ts'
import type { ReleaseStore, StoredObject } from './releaseStore.ts'

const encodings: readonly Encoding[] = ['zstd', 'raw']
/** Number of lookups between two turns of the event loop. Each lookup is synchronous, since it takes microseconds. */
const looksPerTurn = 500
/** The same for reading small objects. */
const readsPerTurn = 20
const nameForm = /^([0-9a-f]{62})(\.zst)?$/

/**
 * A store in its own folder, used by one process at a time: `objects/ab/cdef…` for files and chunks, `trees/` and
 * `manifests/` in the same form, `tmp/` for files that are being written.
 */
export class DirectoryStore implements ReleaseStore {
  readonly root: string
  #usedBytes: number
  readonly #unsynced = new Set<string>()
  readonly #folders = new Set<string>()
  readonly #puts = new Map<ObjectKey, Promise<void>>()
  #reads = 0

  /** Makes the folder if needed, and removes files that an earlier process left half-written. */
  static async open(root: string): Promise<DirectoryStore> {
    await rm(join(root, 'tmp'), { recursive: true, force: true })
    await mkdir(join(root, 'tmp'), { recursive: true, mode: 0o700 })
    for (const kind of objectKinds) await mkdir(join(root, kindFolders[kind]), { recursive: true, mode: 0o700 })
    let usedBytes = 0
    for await (const { bytes } of listObjects(root)) usedBytes += bytes
    return new DirectoryStore(root, usedBytes)
  }

  private constructor(root: string, usedBytes: number) {
    this.root = root
    this.#usedBytes = usedBytes
  }

  async has(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>> {
    const here = new Set<ObjectKey>()
    for (const [index, key] of keys.entries()) {
      if (index % looksPerTurn === looksPerTurn - 1) await setImmediate()
      if (this.#isHere(key)) here.add(key)
    }
    return here
  }

  async get(key: ObjectKey): Promise<Uint8Array> {
    return unpack(await this.getPacked(key))
  }

  async getPacked(key: ObjectKey): Promise<PackedObject> {
    if (++this.#reads % readsPerTurn === 0) await setImmediate()
    for (const encoding of encodings) {
      const bytes = await readObject(objectPath(this.root, key, encoding))
      if (bytes) return { key, encoding, bytes }
    }
    throw new OperatorError('E_RELEASE_GONE', 'an object is missing from the store', {
      subject: key,
      next: 'publish the release again',
    })
  }

  /** Merges simultaneous puts of one key: content with the same hash is the same content. */
  put(object: PackedObject): Promise<void> {
    const underWay = this.#puts.get(object.key)
    if (underWay) return underWay
    const put = this.#write(object).finally(() => this.#puts.delete(object.key))
    this.#puts.set(object.key, put)
    return put
  }

  async #write(object: PackedObject): Promise<void> {
    const path = objectPath(this.root, object.key, object.encoding)
    await this.#makeFolder(dirname(path)).catch(explainFullDisk)
    const others = await this.#sizes(object.key)
    await writeDurably(path, join(this.root, 'tmp', randomId()), object.bytes).catch(explainFullDisk)
    this.#unsynced.add(dirname(path))
    for (const [other, bytes] of others) {
      if (other !== path) await unlink(other)
      this.#usedBytes -= bytes
    }
    this.#usedBytes += object.bytes.length
  }

  async flush(): Promise<void> {
    const folders = [...this.#unsynced]
    if (folders.length === 0) return
    this.#unsynced.clear()
    const parents = new Set(folders.map((folder) => dirname(folder)))
    try {
      await Promise.all([...folders, ...parents].map(syncFolder))
    } catch (error) {
      for (const folder of folders) this.#unsynced.add(folder)
      throw error
    }
  }

  list(kind?: ObjectKind): AsyncIterable<StoredObject> {
    return listObjects(this.root, kind && [kind])
  }

  async remove(keys: readonly ObjectKey[]): Promise<void> {
    for (const key of keys) {
      for (const [path, bytes] of await this.#sizes(key)) {
        await unlink(path)
        this.#usedBytes -= bytes
      }
    }
  }

  usedBytes(): number {
    return this.#usedBytes
  }

  /** There are at most 256 folders of each kind, so each is made once. */
  async #makeFolder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    await mkdir(path, { recursive: true, mode: 0o700 })
    this.#folders.add(path)
  }

  #isHere(key: ObjectKey): boolean {
    return encodings.some((encoding) => existsSync(objectPath(this.root, key, encoding)))
  }

  async #sizes(key: ObjectKey): Promise<[path: string, bytes: number][]> {
    if (!this.#isHere(key)) return []
    const found: [string, number][] = []
    for (const encoding of encodings) {
      const path = objectPath(this.root, key, encoding)
      try {
        found.push([path, (await stat(path)).size])
      } catch (error) {
        if (!isAbsence(error)) throw error
      }
    }
    return found
  }
}

async function* listObjects(root: string, kinds: readonly ObjectKind[] = objectKinds): AsyncGenerator<StoredObject> {
  let looks = 0
  for (const kind of kinds) {
    const top = join(root, kindFolders[kind])
    for (const prefix of await readdir(top)) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue
      for (const name of readdirSync(join(top, prefix)).filter((one) => nameForm.test(one))) {
        if (++looks % looksPerTurn === 0) await setImmediate()
        const found = statSync(join(top, prefix, name), { throwIfNoEntry: false })
        const id = prefix + name.replace(encodingSuffixes.zstd, '')
        if (found) yield { key: objectKey(kind, id), bytes: found.size, storedAtMs: found.mtimeMs }
      }
    }
  }
}

/** `null`: there is no such file. */
async function readObject(path: string): Promise<Uint8Array | null> {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found) return null
    return found.size <= smallFileBytes ? readFileSync(path) : await readFile(path)
  } catch (error) {
    if (isAbsence(error)) return null
    throw error
  }
}

const isAbsence = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT' // other errors have another code or none

function explainFullDisk(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException // other errors have none
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
  throw new OperatorError('E_STORE_FULL', 'the disk under the release store is full', {
    next: 'free space on this disk; tandem controller run --store-cap limits the size of releases',
    cause: error,
  })
}
