import type { ObjectKey, ObjectKind } from './objectKey.ts'
import type { PackedObject } from './packedObject.ts'

/**
 * Storage for objects. It does not know which object refers to which: `ReleaseDepot` and `ReleaseCache` guarantee that
 * nothing is missing below a stored tree, by the order in which they put and remove. Safe for parallel use.
 */
export interface ReleaseStore {
  /** Returns those of the keys that are stored. */
  has(keys: readonly ObjectKey[]): Promise<Set<ObjectKey>>
  /** Returns the verified content. `E_RELEASE_GONE` if the object is missing, `E_RELEASE_CORRUPT` if it is damaged. */
  get(key: ObjectKey): Promise<Uint8Array>
  /** Returns the object as stored, not verified. `E_RELEASE_GONE` if it is missing. */
  getPacked(key: ObjectKey): Promise<PackedObject>
  /**
   * Stores an object whose content the caller has verified; replaces an object with the same key. Atomic, also after a
   * crash.
   */
  put(object: PackedObject): Promise<void>
  /** Resolves when everything that was put before is durable. */
  flush(): Promise<void>
  /** Lists all objects, or those of one kind. */
  list(kind?: ObjectKind): AsyncIterable<StoredObject>
  /**
   * Removes in this order, so that a crash leaves no parent without its child. Keys that are not stored are skipped.
   */
  remove(keys: readonly ObjectKey[]): Promise<void>
  /** Bytes of all stored objects. */
  usedBytes(): number
}

export interface StoredObject {
  key: ObjectKey
  /** Bytes as stored, compressed. */
  bytes: number
  /** Time of the put, in milliseconds since the epoch. */
  storedAtMs: number
}
