import { OperatorError } from '../lib/operatorError.ts'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import { DirectoryStore } from './directoryStore.ts'
import { fetchRelease, refetch, type Fetched, type FetchOptions } from './fetchRelease.ts'
import { readManifest, type ObjectReader } from './manifest.ts'
import { isHash, objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { References } from './references.ts'
import { OwnFolders, type ReleaseFolders } from './releaseFolders.ts'
import type { ReleaseSource } from './releaseTarget.ts'
import { SharedLock } from './sharedLock.ts'
import { collect, type Collected, type CollectionPolicy } from './storeCollection.ts'

export interface CachedRelease {
  id: string
  service: string
  fetchedAtMs: number
  /** Whether its folder exists. */
  isMaterialised: boolean
}

interface Options {
  bootId?: string
  foldersIn?: (own: ReleaseFolders) => ReleaseFolders
}

type CachePolicy = Pick<CollectionPolicy, 'keep' | 'lastPerService' | 'capBytes'>

export interface FolderRequest {
  /** Source for damaged objects. Without a source, only local objects can repair a folder. */
  source?: ReleaseSource
  signal?: AbortSignal
}

/**
 * A machine's releases: verified objects as transferred (compressed, each once), and for each release that runs a
 * read-only folder, which `folders` keeps. Used by one process at a time.
 */
export class ReleaseCache implements ObjectReader {
  readonly #store: DirectoryStore
  readonly #folders: ReleaseFolders
  readonly #lock = new SharedLock()
  /** The last piece of work on each release: one runs at a time. */
  readonly #queue = new KeyedQueue()
  readonly #fetches = new Set<Promise<void>>()
  readonly #references = new References()
  /** Services of the releases here: a collection must not read the files of all releases. */
  readonly #services = new Map<string, { stamp: string; service: string }>()
  /** The collection that waits for the running fetches. */
  #due: Promise<Collected> | null = null

  /**
   * Makes the folder if needed, and removes content that an earlier process left half-made. `foldersIn`: where release
   * folders are, given those of this cache.
   */
  static async open(root: string, options: Options = {}): Promise<ReleaseCache> {
    const store = await DirectoryStore.open(root)
    const own = await OwnFolders.open({ root, store: root, objects: store, bootId: options.bootId })
    const cache = new ReleaseCache(store, options.foldersIn?.(own) ?? own)
    const here = await cache.#complete()
    await own.keepOnly({ releases: here, damaged: here })
    return cache
  }

  private constructor(store: DirectoryStore, folders: ReleaseFolders) {
    this.#store = store
    this.#folders = folders
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
    return this.#inTurn(id, () => this.#folder(id, false, request))
  }

  /**
   * Returns the folder of a release right before a start: verified, and made again if anything in it differs.
   * `E_RELEASE_CORRUPT` if the folder cannot be repaired from the local objects and the source.
   */
  open(id: string, request: FolderRequest = {}): Promise<string> {
    return this.#inTurn(id, () => this.#folder(id, true, request))
  }

  async list(): Promise<CachedRelease[]> {
    const folders = await this.#folders.bytes()
    const releases: CachedRelease[] = []
    for await (const { key, bytes, storedAtMs } of this.#store.list('manifest')) {
      const { id } = splitKey(key)
      const service = await this.#serviceOf(id, `${bytes} ${storedAtMs}`)
      if (service === null) continue // damaged: the release is fetched again before it is used
      releases.push({ id, service, fetchedAtMs: storedAtMs, isMaterialised: folders.has(id) })
    }
    return releases
  }

  /** Bytes of the objects and of the folders; folders count as if they shared no blocks on the disk. */
  async usedBytes(): Promise<number> {
    let bytes = this.#store.usedBytes()
    for (const folder of (await this.#folders.bytes()).values()) bytes += folder
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
    const folders = await this.#folders.bytes()
    const collected = await collect(
      this.#store,
      {
        ...policy,
        published: ran.map(({ id, service, fetchedAtMs }) => ({ release: id, service, at: fetchedAtMs })),
        extraBytes: (id) => folders.get(id) ?? 0,
      },
      this.#references,
    )
    for (const id of collected.removedReleases) this.#services.delete(id)
    await this.#folders.keepOnly({ releases: await this.#complete(), damaged: policy.keep })
    return collected
  }

  /** The releases whose manifests are here. */
  async #complete(): Promise<ReadonlySet<string>> {
    const all = new Set<string>()
    for await (const { key } of this.#store.list('manifest')) all.add(splitKey(key).id)
    return all
  }

  /** Runs one piece of work on a release at a time, and none during a collection. */
  #inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (!isHash(id))
      return Promise.reject(new OperatorError('E_USAGE', 'this is not the id of a release', { subject: id }))
    return this.#queue.run(id, () => this.#lock.shared(work))
  }

  async #folder(id: string, verify: boolean, { source, signal }: FolderRequest): Promise<string> {
    const fetched = new Set<ObjectKey>()
    for (;;) {
      const made = await this.#folders.make(id, { verify, ...(signal ? { signal } : {}) })
      if ('folder' in made) return made.folder
      // An object that came and is damaged again will not get better.
      if (!source || made.damaged.some((key) => fetched.has(key))) throw beyondRepair(id, made.damaged)
      await refetch(this.#store, source, made.damaged, signal)
      for (const key of made.damaged) fetched.add(key)
    }
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
}

function beyondRepair(id: string, damaged: readonly ObjectKey[], cause?: unknown): OperatorError {
  const more = damaged.length > 1 ? ` and ${damaged.length - 1} more` : ''
  return new OperatorError('E_RELEASE_CORRUPT', `this machine’s copy of a release is damaged: ${damaged[0]}${more}`, {
    subject: id,
    next: 'check the disk; if the controller is reachable, the release is fetched again; otherwise roll back to another release',
    cause,
  })
}
