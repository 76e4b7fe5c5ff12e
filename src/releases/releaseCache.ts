import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bootId } from '../lib/bootId.ts'
import { randomId } from '../lib/ids.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import { DirectoryStore } from './directoryStore.ts'
import { syncFolder } from './durableWrite.ts'
import { fetchRelease, refetch, type Fetched, type FetchOptions } from './fetchRelease.ts'
import { readIndex, writeIndex } from './folderIndex.ts'
import { readManifest, type ObjectReader } from './manifest.ts'
import { isHash, objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { buildFolder, verifyFolder } from './releaseFolder.ts'
import { References } from './references.ts'
import { readListing, type ReleaseListing } from './releaseListing.ts'
import type { ReleaseSource } from './releaseTarget.ts'
import { removeTree } from './removeTree.ts'
import { SharedLock } from './sharedLock.ts'
import { collect, type Collected, type CollectionPolicy } from './storeCollection.ts'

export interface CachedRelease {
  id: string
  service: string
  fetchedAtMs: number
  /** Whether its folder exists. */
  isMaterialised: boolean
}

type CachePolicy = Pick<CollectionPolicy, 'keep' | 'lastPerService' | 'capBytes'>

export interface FolderRequest {
  /** Source for damaged objects. Without a source, only local objects can repair a folder. */
  source?: ReleaseSource
  signal?: AbortSignal
}

/**
 * A machine's releases: verified objects as transferred (compressed, each once), and for each release that runs a
 * read-only folder `releases/<id>`. No file of a folder shares an inode with anything else: changes that an instance
 * makes to its folder, even as root, reach neither the objects nor another release, and `open` finds and repairs them
 * before a start. Used by one process at a time.
 */
export class ReleaseCache implements ObjectReader {
  readonly #root: string
  readonly #store: DirectoryStore
  readonly #bootId: string
  readonly #lock = new SharedLock()
  /** The last piece of work on each release: one runs at a time. */
  readonly #queue = new KeyedQueue()
  readonly #fetches = new Set<Promise<void>>()
  readonly #references = new References()
  /** Services of the releases here, and bytes of their folders: a collection must not read the files of all releases. */
  readonly #services = new Map<string, { stamp: string; service: string }>()
  readonly #bytes = new Map<string, number>()
  /** The collection that waits for the running fetches. */
  #due: Promise<Collected> | null = null

  /** Makes the folder if needed, and removes content that an earlier process left half-made. */
  static async open(root: string, options: { bootId?: string } = {}): Promise<ReleaseCache> {
    for (const folder of ['releases', 'index']) await mkdir(join(root, folder), { recursive: true, mode: 0o700 })
    const store = await DirectoryStore.open(root)
    const cache = new ReleaseCache(root, store, options.bootId ?? thisBoot())
    await cache.#sweep((name) => !name.startsWith('.damaged-'))
    return cache
  }

  private constructor(root: string, store: DirectoryStore, bootId: string) {
    this.#root = root
    this.#store = store
    this.#bootId = bootId
  }

  /** Returns a verified object; see `readManifest`. */
  get(key: ObjectKey): Promise<Uint8Array> {
    return this.#store.get(key)
  }

  has(id: string): Promise<boolean> {
    return this.#store.has([objectKey('manifest', id)]).then(({ size }) => size > 0)
  }

  /** Fetches the missing objects. After a failure or a kill, the next call continues where the last one ended. */
  fetch(id: string, source: ReleaseSource, options: FetchOptions = {}): Promise<Fetched> {
    const fetching = this.#inTurn(id, () => fetchRelease(this.#store, source, id, options))
    const forget = (): void => void this.#fetches.delete(ended)
    const ended: Promise<void> = fetching.then(forget, forget)
    this.#fetches.add(ended)
    return fetching
  }

  /**
   * Returns the path of a fetched release's folder, and makes the folder if needed. The content is not verified: see
   * `open`.
   */
  materialise(id: string, request: FolderRequest = {}): Promise<string> {
    return this.#inTurn(id, async () => {
      const index = await readIndex(this.#indexPath(id))
      if (index?.bootId === this.#bootId && existsSync(this.#folder(id))) return this.#folder(id)
      return this.#verifyOrMake(id, request)
    })
  }

  /**
   * Returns the folder of a release right before a start: verified, and made again if anything in it differs.
   * `E_RELEASE_CORRUPT` if the folder cannot be repaired from the local objects and the source.
   */
  open(id: string, request: FolderRequest = {}): Promise<string> {
    return this.#inTurn(id, () => this.#verifyOrMake(id, request))
  }

  async list(): Promise<CachedRelease[]> {
    const releases: CachedRelease[] = []
    for await (const { key, bytes, storedAtMs } of this.#store.list('manifest')) {
      const { id } = splitKey(key)
      const service = await this.#serviceOf(id, `${bytes} ${storedAtMs}`)
      if (service === null) continue // damaged: the release is fetched again before it is used
      releases.push({ id, service, fetchedAtMs: storedAtMs, isMaterialised: existsSync(this.#folder(id)) })
    }
    return releases
  }

  /** Bytes of the objects and of the folders; folders count as if they shared no blocks on the disk. */
  async usedBytes(): Promise<number> {
    let bytes = this.#store.usedBytes()
    for (const folder of (await this.#folderBytes()).values()) bytes += folder
    return bytes
  }

  /**
   * Removes releases, see `CollectionPolicy`; the order of fetching decides which releases are the last. Begins once no
   * fetch runs: a collection queued in the lock behind a slow fetch would block every start. `policy` is called when
   * the collection begins.
   */
  collect(policy: () => CachePolicy): Promise<Collected> {
    if (this.#due) return this.#due
    if (this.#fetches.size === 0) return this.#lock.alone(() => this.#collect(policy()))
    this.#due = Promise.all(this.#fetches).then(() => {
      this.#due = null
      return this.collect(policy)
    })
    return this.#due
  }

  async #collect(policy: CachePolicy): Promise<Collected> {
    // A release without a folder never ran here, and no rollback needs it; the disk may have been full.
    const ran = (await this.list()).filter(({ isMaterialised }) => isMaterialised)
    const folders = await this.#folderBytes()
    const collected = await collect(
      this.#store,
      {
        ...policy,
        published: ran.map(({ id, service, fetchedAtMs }) => ({ release: id, service, at: fetchedAtMs })),
        extraBytes: (id) => folders.get(id) ?? 0,
      },
      this.#references,
    )
    for (const id of collected.removedReleases) {
      this.#services.delete(id)
      this.#bytes.delete(id)
    }
    await this.#sweep((name) => !policy.keep.has(name.replace('.damaged-', '')))
    return collected
  }

  /** Runs one piece of work on a release at a time, and none during a collection. */
  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (!isHash(id))
      return Promise.reject(new OperatorError('E_USAGE', 'this is not the id of a release', { subject: id }))
    return this.#queue.run(id, () => this.#lock.shared(work))
  }

  async #verifyOrMake(id: string, request: FolderRequest): Promise<string> {
    const listing = await this.#readListing(id, request)
    const folder = this.#folder(id)
    if (existsSync(folder)) {
      const index = await readIndex(this.#indexPath(id))
      const trusted = index?.bootId === this.#bootId ? index : null
      const fingerprints = await verifyFolder(folder, listing, trusted, request.signal)
      if (fingerprints) {
        const isKnown =
          trusted !== null &&
          Object.keys(fingerprints).every((path) => trusted.fingerprints[path] === fingerprints[path])
        if (!isKnown) await this.#writeIndex(id, listing, fingerprints)
        return folder
      }
    }
    await this.#make(id, listing, request)
    return folder
  }

  async #make(id: string, listing: ReleaseListing, request: FolderRequest): Promise<void> {
    const making = join(this.#root, 'releases', `.making-${randomId()}`)
    try {
      const fingerprints = await this.#build(making, id, listing, request)
      await this.#replaceFolder(id, making)
      await this.#writeIndex(id, listing, fingerprints)
    } catch (error) {
      await removeTree(making)
      throw error
    }
  }

  async #build(
    making: string,
    id: string,
    listing: ReleaseListing,
    { source, signal }: FolderRequest,
  ): Promise<Record<string, string>> {
    const options = { store: this.#root, twinOf: await this.#findTwins(id), signal }
    let built = await buildFolder(making, listing, options)
    if ('damaged' in built && source) {
      await refetch(this.#store, source, [...new Set(built.damaged)], signal)
      await removeTree(making)
      built = await buildFolder(making, listing, options)
    }
    if ('damaged' in built) throw beyondRepair(id, built.damaged)
    return built.fingerprints
  }

  /**
   * The old folder stays beside the new one for instances that run in it, until the release is collected; at most one
   * is kept.
   */
  async #replaceFolder(id: string, making: string): Promise<void> {
    const folder = this.#folder(id)
    if (existsSync(folder)) {
      const damaged = join(this.#root, 'releases', `.damaged-${id}`)
      await removeTree(damaged)
      await rename(folder, damaged)
    }
    await rename(making, folder)
    await syncFolder(join(this.#root, 'releases'))
  }

  /**
   * Finds where files with the same content should be: at the same place in this release's damaged folder, or anywhere
   * in the newest other folder of the service. Cloning or copying from there saves the decompression, and on some disks
   * the space.
   */
  async #findTwins(id: string): Promise<(file: { path: string; entry: { sha256: string } }) => string | null> {
    const own = existsSync(this.#folder(id)) ? this.#folder(id) : null
    const other = own === null ? await this.#newestOther(id) : null
    const places = new Map<string, string>()
    if (other !== null) {
      for (const { path, entry } of await this.#filesOf(other))
        places.set(entry.sha256, join(this.#folder(other), path))
    }
    return ({ path, entry }) => (own === null ? (places.get(entry.sha256) ?? null) : join(own, path))
  }

  /** Returns no files for a damaged release: it must not keep another release from starting. */
  async #filesOf(id: string): Promise<ReleaseListing['files']> {
    try {
      return (await readListing((await readManifest(this.#store, id)).tree, this.#store)).files
    } catch (error) {
      if (error instanceof OperatorError) return []
      throw error
    }
  }

  async #newestOther(id: string): Promise<string | null> {
    const { service } = await readManifest(this.#store, id)
    const others = (await this.list()).filter((release) => release.isMaterialised && release.service === service)
    return (
      others.filter((release) => release.id !== id).toSorted((a, b) => b.fetchedAtMs - a.fetchedAtMs)[0]?.id ?? null
    )
  }

  async #readListing(id: string, { source, signal }: FolderRequest): Promise<ReleaseListing> {
    const get = async (key: ObjectKey): Promise<Uint8Array> => {
      try {
        return await this.#store.get(key)
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error
        if (!source) throw beyondRepair(id, [key], error)
        await refetch(this.#store, source, [key], signal)
        return this.#store.get(key)
      }
    }
    const { tree } = await readManifest({ get }, id)
    return readListing(tree, { get })
  }

  /** Returns `null` if the manifest is damaged. It is read again when its file has another `stamp`. */
  async #serviceOf(id: string, stamp: string): Promise<string | null> {
    const known = this.#services.get(id)
    if (known?.stamp === stamp) return known.service
    try {
      const { service } = await readManifest(this.#store, id)
      this.#services.set(id, { stamp, service })
      return service
    } catch (error) {
      if (error instanceof OperatorError) return null
      throw error
    }
  }

  /** The index only saves hashing: if a full disk rejects it, the release must still start. */
  async #writeIndex(id: string, { bytes }: ReleaseListing, fingerprints: Record<string, string>): Promise<void> {
    await writeIndex(this.#indexPath(id), { bootId: this.#bootId, bytes, fingerprints }).catch(() => {})
    this.#bytes.set(id, bytes)
  }

  async #folderBytes(): Promise<Map<string, number>> {
    const bytes = new Map<string, number>()
    for (const name of (await readdir(join(this.#root, 'releases'))).filter(isHash)) {
      const known = this.#bytes.get(name) ?? (await readIndex(this.#indexPath(name)))?.bytes
      if (known !== undefined) this.#bytes.set(name, known)
      bytes.set(name, known ?? 0)
    }
    return bytes
  }

  /** Removes folders without a manifest, and those half-made or damaged folders that `mayGo` accepts. */
  async #sweep(mayGo: (name: string) => boolean): Promise<void> {
    for (const name of await readdir(join(this.#root, 'releases'))) {
      const isWanted = isHash(name) ? await this.has(name) : !mayGo(name)
      if (isWanted) continue
      await rm(this.#indexPath(name), { force: true })
      await removeTree(join(this.#root, 'releases', name))
    }
    for (const name of await readdir(join(this.#root, 'index'))) {
      const id = name.replace(/\.json$/, '')
      if (!isHash(id) || !(await this.has(id))) await rm(join(this.#root, 'index', name), { force: true })
    }
  }

  #folder(id: string): string {
    return join(this.#root, 'releases', id)
  }

  #indexPath(id: string): string {
    return join(this.#root, 'index', `${id}.json`)
  }
}

function beyondRepair(id: string, damaged: readonly ObjectKey[], cause?: unknown): OperatorError {
  const more = damaged.length > 1 ? ` and ${damaged.length - 1} more` : ''
  return new OperatorError('E_RELEASE_CORRUPT', `this machine’s copy of a release is damaged: ${damaged[0]}${more}`, {
    subject: id,
    next: 'check the disk; if the controller is reachable, the release is fetched again; otherwise roll back to another release',
    cause,
  })
}

/** If the system reports no boot id (macOS), an index of an earlier process counts as made before the boot. */
function thisBoot(): string {
  try {
    return bootId()
  } catch {
    return randomId()
  }
}
