import type { ObjectKey } from './objectKey.ts'
import type { PackedObject } from './packedObject.ts'

/**
 * Where objects are kept. It knows nothing of what refers to what: `ReleaseDepot` and `ReleaseCache` keep the promise
 * that below a stored tree nothing is missing, by the order in which they put and remove. Safe for parallel use.
 */
export interface ReleaseStore {
  /** Those of the keys that are here. */
  has(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>>
  /** The content, verified. `E_RELEASE_GONE` when it is not here, `E_RELEASE_CORRUPT` when it is damaged. */
  get(key: ObjectKey): Promise<Uint8Array>
  /** As it is kept, not verified. `E_RELEASE_GONE` when it is not here. */
  getPacked(key: ObjectKey): Promise<PackedObject>
  /** Keeps an object whose content the caller has verified; replaces one of the same key. Whole or not at all, after a crash too. */
  put(object: PackedObject): Promise<void>
  /** Resolves when all that was put before is durable. */
  flush(): Promise<void>
  list(): AsyncIterable<StoredObject>
  /** In this order, so that a crash leaves no parent without its child. Keys that are not here are passed over. */
  remove(keys: readonly ObjectKey[]): Promise<void>
  /** Bytes of all that is kept. */
  usedBytes(): Promise<number>
}

export interface StoredObject {
  key: ObjectKey
  /** As it is kept, compressed. */
  bytes: number
  /** When it was put, in milliseconds since the epoch. */
  storedAtMs: number
}
