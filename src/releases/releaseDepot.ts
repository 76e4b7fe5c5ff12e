import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { parseManifest, releaseIdOf, type ObjectReader } from './manifest.ts'
import { decodeFrames, encodeFrames } from './objectFrames.ts'
import { childrenOf } from './objectChildren.ts'
import { objectKey, splitKey, type ObjectKey, type ObjectKind } from './objectKey.ts'
import { pack, unpack, type PackedObject } from './packedObject.ts'
import { readListing } from './releaseListing.ts'
import { transferLimits } from './releaseLimits.ts'
import type { ReleaseStore } from './releaseStore.ts'
import type { ReleaseSource, ReleaseTarget } from './releaseTarget.ts'
import { SharedLock } from './sharedLock.ts'
import { References } from './references.ts'
import { planCollection, retract, type Collected, type CollectionPolicy } from './storeCollection.ts'

export interface DepotOptions {
  store: ReleaseStore
  clock: Clock
  /** Cap on the stored bytes; `null` means no cap. */
  capBytes: number | null
  /** Policy of the collection when a push does not fit; called again each time. */
  policy: () => DepotPolicy
  /**
   * Called with the releases that a collection is about to remove, before anything is removed; from then on they count
   * as gone. Returns `false` if one of them is needed by now; the collection is then planned again.
   */
  letGo?: (releases: readonly string[]) => Promise<boolean>
  /** Time that a push may take without a request; during this lease, objects that it counts on are not collected. */
  leaseMs?: number
}

export type DepotPolicy = Omit<CollectionPolicy, 'leased' | 'capBytes'>

const defaultLeaseMs = 15 * 60_000
/** Share of the cap that is freed at once when a push does not fit: one collection then suffices for many objects. */
const roomShare = 0.1
/** A plan fails only if a rollout started to a release that the plan was to remove. */
const collectionPlans = 10

/**
 * The controller's store as used by pushes and machines. It keeps one guarantee: everything below a stored tree is
 * stored too. So a tree is accepted only after the objects it refers to; a collection removes parents first and has the
 * store to itself; and objects reported to a push as present are leased to it.
 */
export class ReleaseDepot implements ReleaseTarget, ReleaseSource, ObjectReader {
  readonly #options: DepotOptions
  readonly #lock = new SharedLock()
  /** End of each lease, in monotonic time. */
  readonly #leases = new Map<ObjectKey, number>()
  readonly #references = new References()
  #atCap: OperatorError | null = null

  constructor(options: DepotOptions) {
    this.#options = options
  }

  /** Why the last object did not fit below the cap; `null` if it fitted. */
  get atCap(): OperatorError | null {
    return this.#atCap
  }

  /** Bytes of all stored objects, and their cap; `null`: there is none. */
  get room(): { usedBytes: number; capBytes: number | null } {
    return { usedBytes: this.#options.store.usedBytes(), capBytes: this.#options.capBytes }
  }

  missing(keys: readonly ObjectKey[]): Promise<ObjectKey[]> {
    checkKeys(keys)
    return this.#lock.shared(async () => {
      const here = await this.#options.store.has(keys)
      this.#lease(here)
      return keys.filter((key) => !here.has(key))
    })
  }

  async put(frames: AsyncIterable<Uint8Array>): Promise<void> {
    let kind: ObjectKind = 'blob'
    for await (const object of decodeFrames(frames)) {
      const content = await unpack(object)
      const next = splitKey(object.key).kind
      if (next === 'manifest')
        throw new OperatorError('E_USAGE', 'a manifest must be committed, not uploaded as an object')
      if (next !== kind) await this.#options.store.flush()
      kind = next
      await this.#putObject(object, content)
    }
    await this.#options.store.flush()
  }

  async commit(manifest: Uint8Array): Promise<{ id: string }> {
    const { tree } = parseManifest(manifest)
    const id = releaseIdOf(manifest)
    const key = objectKey('manifest', id)
    const object = await pack(key, manifest)
    await this.#makeRoom(object.bytes.length)
    const lost = await this.#lock.shared(async () => {
      const lost = await this.#findLost(tree)
      if (lost.size > 0) return lost
      await this.#options.store.flush()
      if ((await this.#options.store.has([key])).size === 0) await this.#options.store.put(object)
      await this.#options.store.flush()
      this.#lease([key])
      return lost
    })
    if (lost.size === 0) return { id }
    await this.#lock.alone(() => retract(this.#options.store, lost))
    throw incomplete(id, [...lost][0] ?? key)
  }

  /**
   * Verifies objects as they are read: a damaged object is never sent, and is removed so that the next push sends it
   * again.
   */
  async *fetch(keys: readonly ObjectKey[], options: { signal?: AbortSignal } = {}): AsyncGenerator<Uint8Array> {
    checkKeys(keys)
    yield* encodeFrames(this.#readPacked(keys, options.signal))
  }

  /** Returns a verified object; see `readManifest`. */
  async get(key: ObjectKey): Promise<Uint8Array> {
    try {
      return await this.#options.store.get(key)
    } catch (error) {
      throw await this.#explain(key, error)
    }
  }

  /** Finds the releases whose id begins with `prefix`. */
  async findReleases(prefix: string): Promise<string[]> {
    const found: string[] = []
    for await (const { key } of this.#options.store.list('manifest')) {
      const { id } = splitKey(key)
      if (id.startsWith(prefix)) found.push(id)
    }
    return found
  }

  /** Collects by the policy, and frees `roomBytes` below the cap if releases that are not needed occupy enough. */
  collect(roomBytes = 0): Promise<Collected> {
    const { store, capBytes: cap, policy, letGo = async () => true, clock } = this.#options
    const capBytes = cap === null ? null : cap - roomBytes
    return this.#lock.alone(async () => {
      const now = clock.monotonic()
      for (const [key, until] of this.#leases) if (until <= now) this.#leases.delete(key)
      const leased = new Set(this.#leases.keys())
      for (let plans = 0; plans < collectionPlans; plans++) {
        const { doomed, collected } = await planCollection(store, { ...policy(), capBytes, leased }, this.#references)
        if (!(await letGo(collected.removedReleases))) continue
        await store.remove(doomed)
        return collected
      }
      throw new Error(
        `the set of needed releases changed during each of ${collectionPlans} collections of the release store`,
      )
    })
  }

  async #putObject(object: PackedObject, content: Uint8Array): Promise<void> {
    const { store } = this.#options
    const isHere = await this.#lock.shared(async () => {
      this.#lease([object.key])
      return (await store.has([object.key])).size > 0
    })
    if (isHere) return
    await this.#makeRoom(object.bytes.length)
    await this.#lock.shared(async () => {
      const children = childrenOf(object.key, content)
      const here = await store.has(children)
      const lost = children.find((key) => !here.has(key))
      if (lost !== undefined) throw incomplete(object.key, lost)
      await store.put(object)
      this.#lease([object.key])
    })
  }

  async #makeRoom(bytes: number): Promise<void> {
    const { capBytes, store } = this.#options
    this.#atCap = null
    if (capBytes === null || store.usedBytes() + bytes <= capBytes) return
    await this.collect(Math.max(bytes, capBytes * roomShare))
    const used = store.usedBytes()
    if (used + bytes <= capBytes) return
    this.#atCap = new OperatorError(
      'E_STORE_FULL',
      `the release store holds ${used} of ${capBytes} bytes, all of them needed`,
      {
        next: 'raise the cap (tandem controller run --store-cap), remove a service, or publish less: name unneeded files in .tandemignore',
      },
    )
    throw this.#atCap
  }

  /** Finds missing or damaged objects below a tree, since a manifest may claim anything. */
  async #findLost(tree: string): Promise<Set<ObjectKey>> {
    const { store } = this.#options
    let reading: ObjectKey | null = null
    try {
      const listing = await readListing(tree, { get: (key) => store.get((reading = key)) })
      const keys = [...listing.blobs.keys()]
      const here = await store.has(keys)
      return new Set(keys.filter((key) => !here.has(key)))
    } catch (error) {
      if (isLoss(error) && reading !== null) return new Set([reading])
      throw error
    }
  }

  async *#readPacked(keys: readonly ObjectKey[], signal?: AbortSignal): AsyncGenerator<PackedObject> {
    for (const key of keys) {
      signal?.throwIfAborted()
      let object: PackedObject
      try {
        object = await this.#options.store.getPacked(key)
        await unpack(object)
      } catch (error) {
        throw await this.#explain(key, error)
      }
      yield object
    }
  }

  async #explain(key: ObjectKey, error: unknown): Promise<unknown> {
    if (!(error instanceof OperatorError) || error.code !== 'E_RELEASE_CORRUPT') return error
    await this.#lock.alone(() => retract(this.#options.store, new Set([key])))
    return new OperatorError('E_RELEASE_CORRUPT', 'an object in the release store does not match its hash', {
      subject: key,
      next: 'check the disk, and push the release again: the damaged object was removed and is sent again',
      cause: error,
    })
  }

  #lease(keys: Iterable<ObjectKey>): void {
    const until = this.#options.clock.monotonic() + (this.#options.leaseMs ?? defaultLeaseMs)
    for (const key of keys) this.#leases.set(key, until)
  }
}

function checkKeys(keys: readonly ObjectKey[]): void {
  if (keys.length > transferLimits.keysPerRequest) {
    throw new OperatorError('E_USAGE', `${keys.length} keys in one request, at most ${transferLimits.keysPerRequest}`)
  }
  for (const key of keys) splitKey(key)
}

const isLoss = (error: unknown): boolean =>
  error instanceof OperatorError && (error.code === 'E_RELEASE_GONE' || error.code === 'E_RELEASE_CORRUPT')

function incomplete(what: string, lost: string): OperatorError {
  return new OperatorError('E_RELEASE_INCOMPLETE', `the store lacks ${lost}`, {
    subject: what,
    next: 'publish the release again',
  })
}
