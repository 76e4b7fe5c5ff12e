import { OperatorError } from '../lib/operatorError.ts'
import { batches, inStreams } from './batches.ts'
import { parseManifest } from './manifest.ts'
import { childrenOf } from './objectChildren.ts'
import { decodeFrames } from './objectFrames.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { unpack, type PackedObject } from './packedObject.ts'
import { readListing, type ReleaseListing } from './releaseListing.ts'
import type { ReleaseStore } from './releaseStore.ts'
import type { ReleaseSource } from './releaseTarget.ts'

export interface FetchOptions {
  signal?: AbortSignal
  onProgress?: (progress: FetchProgress) => void
}

export interface FetchProgress {
  /** Blobs of the release that are present, and their total number. */
  blobs: number
  ofBlobs: number
  /** Bytes as transferred. */
  fetchedBytes: number
}

export interface Fetched {
  fetchedObjects: number
  fetchedBytes: number
}

/**
 * Brings a release into a store: its manifest, the trees level by level, then the missing blobs in parallel. No stored
 * object refers to a missing one: trees are stored after the blobs, and the manifest last. So a later fetch completes a
 * killed one. Hostile content is refused before any blob is requested.
 */
export async function fetchRelease(
  store: ReleaseStore,
  source: ReleaseSource,
  id: string,
  options: FetchOptions = {},
): Promise<Fetched> {
  const fetched: Fetched = { fetchedObjects: 0, fetchedBytes: 0 }
  const manifestKey = objectKey('manifest', id)
  if ((await store.has([manifestKey])).size > 0) return fetched
  const { signal } = options
  const count = ({ bytes }: PackedObject): void => {
    fetched.fetchedObjects++
    fetched.fetchedBytes += bytes.length
  }

  const held = new Map<ObjectKey, Held>()
  const hold = (object: PackedObject, content: Uint8Array): void => {
    count(object)
    held.set(object.key, { object, content })
  }
  await fetchObjects(source, [manifestKey], hold, signal)
  const manifest = parseManifest(contentOf(held, manifestKey))
  await fetchTrees(store, source, objectKey('tree', manifest.tree), { held, hold, signal })
  const listing = await readListing(manifest.tree, { get: (key) => Promise.resolve(contentOf(held, key)) })

  await fetchBlobs(store, source, listing, count, fetched, options)
  await store.flush()
  for (const key of listing.trees.keys()) await keep(store, held, key)
  await store.flush()
  await keep(store, held, manifestKey)
  await store.flush()
  return fetched
}

/** Fetches damaged or missing objects again and replaces them. */
export async function refetch(
  store: ReleaseStore,
  source: ReleaseSource,
  keys: readonly ObjectKey[],
  signal?: AbortSignal,
) {
  await inStreams(batches(keys), (batch) => fetchObjects(source, batch, (object) => store.put(object), signal))
  await store.flush()
}

interface Held {
  /** `null` if the object was in the store already. */
  object: PackedObject | null
  content: Uint8Array
}

interface TreeFetch {
  held: Map<ObjectKey, Held>
  hold: (object: PackedObject, content: Uint8Array) => void
  signal?: AbortSignal
}

async function fetchTrees(
  store: ReleaseStore,
  source: ReleaseSource,
  root: ObjectKey,
  { held, hold, signal }: TreeFetch,
) {
  for (let level = [root]; level.length > 0;) {
    const lacking: ObjectKey[] = []
    const here = await store.has(level)
    for (const key of level) {
      const content = here.has(key) ? await readIfSound(store, key) : null
      if (content) held.set(key, { object: null, content })
      else lacking.push(key)
    }
    await inStreams(batches(lacking), (batch) => fetchObjects(source, batch, hold, signal))
    const below = new Set<ObjectKey>()
    for (const key of level) {
      for (const child of childrenOf(key, contentOf(held, key))) {
        if (splitKey(child).kind === 'tree' && !held.has(child)) below.add(child)
      }
    }
    level = [...below]
  }
}

async function fetchBlobs(
  store: ReleaseStore,
  source: ReleaseSource,
  { blobs }: ReleaseListing,
  count: (object: PackedObject) => void,
  fetched: Fetched,
  { signal, onProgress }: FetchOptions,
): Promise<void> {
  const here = await store.has([...blobs.keys()])
  const lacking = [...blobs.keys()].filter((key) => !here.has(key))
  let done = here.size
  const take = async (object: PackedObject, content: Uint8Array): Promise<void> => {
    if (content.length !== blobs.get(object.key)) {
      throw new OperatorError(
        'E_RELEASE_CONTENT',
        'the release was refused: the size of an object differs from its declared size',
        {
          subject: object.key,
        },
      )
    }
    count(object)
    await store.put(object)
    onProgress?.({ blobs: ++done, ofBlobs: blobs.size, fetchedBytes: fetched.fetchedBytes })
  }
  await inStreams(
    batches(lacking, (key) => blobs.get(key) ?? 0),
    (batch) => fetchObjects(source, batch, take, signal),
  )
}

/**
 * Requests objects and passes each on, verified. An object that was not requested is refused; a missing one is an
 * error.
 */
async function fetchObjects(
  source: ReleaseSource,
  keys: readonly ObjectKey[],
  take: (object: PackedObject, content: Uint8Array) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  const waiting = new Set(keys)
  for await (const object of decodeFrames(source.fetch(keys, { signal }))) {
    signal?.throwIfAborted()
    if (!waiting.delete(object.key)) throw new Error(`the source sent ${object.key}, which was not requested`)
    await take(object, await unpack(object))
  }
  if (waiting.size > 0) throw new Error(`the source did not send ${[...waiting][0]} and ${waiting.size - 1} more`)
}

async function readIfSound(store: ReleaseStore, key: ObjectKey): Promise<Uint8Array | null> {
  try {
    return await store.get(key)
  } catch (error) {
    if (error instanceof OperatorError) return null
    throw error
  }
}

async function keep(store: ReleaseStore, held: ReadonlyMap<ObjectKey, Held>, key: ObjectKey): Promise<void> {
  const object = held.get(key)?.object
  if (object) await store.put(object)
}

function contentOf(held: ReadonlyMap<ObjectKey, Held>, key: ObjectKey): Uint8Array {
  const found = held.get(key)
  if (!found) throw new Error(`${key} was never fetched`)
  return found.content
}
