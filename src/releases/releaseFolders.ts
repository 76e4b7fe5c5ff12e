import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bootId } from '../lib/bootId.ts'
import { randomId } from '../lib/ids.ts'
import { KeyedQueue } from '../lib/keyedQueue.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { syncFolder } from './durableWrite.ts'
import { readIndex, writeIndex } from './folderIndex.ts'
import { readManifest, type ObjectReader } from './manifest.ts'
import { isHash, type ObjectKey } from './objectKey.ts'
import { buildFolder, verifyFolder } from './releaseFolder.ts'
import { readListing, type ReleaseListing } from './releaseListing.ts'
import { removeTree } from './removeTree.ts'
import { SharedLock } from './sharedLock.ts'

/** `verify`: right before a start, when each file of an existing folder is checked. */
export interface FolderWork {
  verify: boolean
  signal?: AbortSignal
}

/** `damaged`: objects from which the folder would be made are missing or damaged. */
export type MadeFolder = { folder: string } | { damaged: ObjectKey[] }

/** The folders in which releases run on this machine, made from verified objects. */
export interface ReleaseFolders {
  /** Makes the folder of a release unless it exists and is sound. */
  make(id: string, work: FolderWork): Promise<MadeFolder>
  /** Bytes of the files in each folder, by release. */
  bytes(): Promise<ReadonlyMap<string, number>>
  /** Removes the folders of all other releases, half-made ones, and former damaged ones of releases not in `damaged`. */
  keepOnly(kept: { releases: ReadonlySet<string>; damaged: ReadonlySet<string> }): Promise<void>
}

interface Parts {
  /** The folders are in `releases/`, and their state when last verified in `index/`. */
  root: string
  /** Root of the store that has the objects. Its content is verified, not trusted. */
  store: string
  /** Reads objects of that store. */
  objects: ObjectReader
  bootId?: string | undefined
}

/**
 * Folders that this process makes. No file of a folder shares an inode with anything else: changes that an instance
 * makes to its folder, even as root, reach neither the objects nor another release, and `make` finds and repairs them
 * before a start. Used by one process at a time.
 */
export class OwnFolders implements ReleaseFolders {
  readonly #parts: Parts
  readonly #bootId: string
  readonly #lock = new SharedLock()
  /** One piece of work on each release at a time. */
  readonly #queue = new KeyedQueue()
  readonly #services = new Map<string, string>()
  readonly #bytes = new Map<string, number>()

  /** Makes the folders if needed. */
  static async open(parts: Parts): Promise<OwnFolders> {
    for (const folder of ['releases', 'index']) await mkdir(join(parts.root, folder), { recursive: true, mode: 0o700 })
    return new OwnFolders(parts)
  }

  private constructor(parts: Parts) {
    this.#parts = parts
    this.#bootId = parts.bootId ?? thisBoot()
  }

  make(id: string, { verify, signal }: FolderWork): Promise<MadeFolder> {
    if (!isHash(id))
      return Promise.reject(new OperatorError('E_USAGE', 'this is not the id of a release', { subject: id }))
    return this.#queue.run(id, () =>
      this.#lock.shared(async () => {
        if (!verify && (await this.#isFromThisBoot(id))) return { folder: this.folder(id) }
        return this.#verifyOrMake(id, signal)
      }),
    )
  }

  async bytes(): Promise<ReadonlyMap<string, number>> {
    const bytes = new Map<string, number>()
    for (const name of await this.#all()) {
      const known = this.#bytes.get(name) ?? (await readIndex(this.#indexPath(name)))?.bytes
      if (known !== undefined) this.#bytes.set(name, known)
      bytes.set(name, known ?? 0)
    }
    return bytes
  }

  keepOnly({ releases, damaged }: { releases: ReadonlySet<string>; damaged: ReadonlySet<string> }): Promise<void> {
    const isKept = (name: string): boolean =>
      name.startsWith(damagedMark) ? damaged.has(name.slice(damagedMark.length)) : releases.has(name)
    return this.#lock.alone(async () => {
      for (const name of await readdir(join(this.#parts.root, 'releases'))) {
        if (isKept(name)) continue
        await rm(this.#indexPath(name), { force: true })
        await removeTree(this.folder(name))
        this.#bytes.delete(name)
        this.#services.delete(name)
      }
      for (const name of await readdir(join(this.#parts.root, 'index')))
        if (!releases.has(name.replace(/\.json$/, ''))) await rm(join(this.#parts.root, 'index', name), { force: true })
    })
  }

  /** Where the folder of a release is, whether it exists or not. */
  folder(id: string): string {
    return join(this.#parts.root, 'releases', id)
  }

  async #isFromThisBoot(id: string): Promise<boolean> {
    return existsSync(this.folder(id)) && (await readIndex(this.#indexPath(id)))?.bootId === this.#bootId
  }

  async #verifyOrMake(id: string, signal: AbortSignal | undefined): Promise<MadeFolder> {
    const found = await this.#readListing(id)
    if ('damaged' in found) return found
    const { listing } = found
    const folder = this.folder(id)
    if (!existsSync(folder)) return this.#make(id, listing, signal)
    const index = await readIndex(this.#indexPath(id))
    const trusted = index?.bootId === this.#bootId ? index : null
    const fingerprints = await verifyFolder(folder, listing, trusted, signal)
    if (!fingerprints) return this.#make(id, listing, signal)
    const isKnown =
      trusted !== null && Object.keys(fingerprints).every((path) => trusted.fingerprints[path] === fingerprints[path])
    if (!isKnown) await this.#writeIndex(id, listing, fingerprints)
    return { folder }
  }

  async #make(id: string, listing: ReleaseListing, signal: AbortSignal | undefined): Promise<MadeFolder> {
    const making = join(this.#parts.root, 'releases', `.making-${randomId()}`)
    try {
      const options = { store: this.#parts.store, twinOf: await this.#findTwins(id), signal }
      const built = await buildFolder(making, listing, options)
      if ('damaged' in built) {
        await removeTree(making)
        return { damaged: [...new Set(built.damaged)] }
      }
      await this.#replaceFolder(id, making)
      await this.#writeIndex(id, listing, built.fingerprints)
      return { folder: this.folder(id) }
    } catch (error) {
      await removeTree(making)
      throw error
    }
  }

  /**
   * The old folder stays beside the new one for instances that run in it, until the release is collected; at most one
   * is kept.
   */
  async #replaceFolder(id: string, making: string): Promise<void> {
    const folder = this.folder(id)
    if (existsSync(folder)) {
      const damaged = this.folder(`${damagedMark}${id}`)
      await removeTree(damaged)
      await rename(folder, damaged)
    }
    await rename(making, folder)
    await syncFolder(join(this.#parts.root, 'releases'))
  }

  /**
   * Finds where files with the same content should be: at the same place in this release's damaged folder, or anywhere
   * in the newest other folder of the service. Cloning or copying from there saves the decompression, and on some disks
   * the space.
   */
  async #findTwins(id: string): Promise<(file: { path: string; entry: { sha256: string } }) => string | null> {
    const own = existsSync(this.folder(id)) ? this.folder(id) : null
    const other = own === null ? await this.#newestOther(id) : null
    const places = new Map<string, string>()
    if (other !== null) {
      const found = await this.#readListing(other)
      // A damaged release must not keep another one from starting.
      for (const { path, entry } of 'listing' in found ? found.listing.files : [])
        places.set(entry.sha256, join(this.folder(other), path))
    }
    return ({ path, entry }) => (own === null ? (places.get(entry.sha256) ?? null) : join(own, path))
  }

  async #newestOther(id: string): Promise<string | null> {
    const service = await this.#serviceOf(id)
    let newest: { id: string; madeMs: number } | null = null
    for (const other of await this.#all()) {
      if (other === id || (await this.#serviceOf(other)) !== service) continue
      const { ctimeMs } = await stat(this.folder(other))
      if (newest === null || ctimeMs > newest.madeMs) newest = { id: other, madeMs: ctimeMs }
    }
    return newest?.id ?? null
  }

  /** `null`: the manifest is missing or damaged. */
  async #serviceOf(id: string): Promise<string | null> {
    const known = this.#services.get(id)
    if (known !== undefined) return known
    try {
      const { service } = await readManifest(this.#parts.objects, id)
      this.#services.set(id, service)
      return service
    } catch (error) {
      if (error instanceof OperatorError) return null
      throw error
    }
  }

  async #readListing(id: string): Promise<{ listing: ReleaseListing } | { damaged: ObjectKey[] }> {
    let asked: ObjectKey | null = null
    let isRead = true
    const get = async (key: ObjectKey): Promise<Uint8Array> => {
      ;[asked, isRead] = [key, false]
      const content = await this.#parts.objects.get(key)
      isRead = true
      return content
    }
    try {
      const { tree } = await readManifest({ get }, id)
      return { listing: await readListing(tree, { get }) }
    } catch (error) {
      // The object itself is at fault, not its content.
      if (error instanceof OperatorError && !isRead && asked !== null) return { damaged: [asked] }
      throw error
    }
  }

  /** The index only saves hashing: if a full disk rejects it, the release must still start. */
  async #writeIndex(id: string, { bytes }: ReleaseListing, fingerprints: Record<string, string>): Promise<void> {
    await writeIndex(this.#indexPath(id), { bootId: this.#bootId, bytes, fingerprints }).catch(() => {})
    this.#bytes.set(id, bytes)
  }

  async #all(): Promise<string[]> {
    return (await readdir(join(this.#parts.root, 'releases'))).filter(isHash)
  }

  #indexPath(id: string): string {
    return join(this.#parts.root, 'index', `${id}.json`)
  }
}

const damagedMark = '.damaged-'

/** If the system reports no boot id (macOS), an index of an earlier process counts as made before the boot. */
function thisBoot(): string {
  try {
    return bootId()
  } catch {
    return randomId()
  }
}
