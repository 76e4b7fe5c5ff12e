import type { SealedValue } from '../sealing/sealed.ts'

export interface StoredVersion extends SealedValue {
  /** Full path, such as `shop/db`. */
  path: string
  version: number
}

/** The wrapped key of a version. */
export type WrappedKey = Omit<StoredVersion, 'content'>

/** Encrypted values of secrets on disk. Every implementation passes `secretStoreConformance.ts`. */
export interface SecretStore {
  /** Replaces what the version had, if anything. */
  put(version: StoredVersion): Promise<void>
  /** `null`: not stored, or destroyed. */
  get(path: string, version: number): Promise<StoredVersion | null>
  /** Removes versions so that the disk no longer holds their keys. Unknown ones are no error. */
  destroy(path: string, versions: readonly number[]): Promise<void>
  /** Every wrapped key, by path and version. */
  keys(): Promise<WrappedKey[]>
  /** Replaces wrapped keys, all or none, so that the disk no longer holds the former ones. Unknown ones are ignored. */
  rewrap(keys: readonly WrappedKey[]): Promise<void>
}
