import type { ObjectKey } from './objectKey.ts'

/** The destination of a publish: the controller through the API client, or a store in this process. */
export interface ReleaseTarget {
  /**
   * Returns those of at most 1000 keys that are missing. A tree that is present is complete. Objects that are present
   * stay at least until the lease ends.
   */
  missing(keys: readonly ObjectKey[]): Promise<ObjectKey[]>
  /** Takes blobs and trees in the format of `encodeFrames`, children before parents. */
  put(frames: AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Makes a release: verifies all objects below the manifest. `E_RELEASE_INCOMPLETE`: an object is missing, publish
   * again.
   */
  commit(manifest: Uint8Array): Promise<{ id: string }>
}

/** The source from which machines fetch releases. */
export interface ReleaseSource {
  /** The frames of these objects (at most 1000), in any order; fails with `E_RELEASE_GONE` if one is missing. */
  fetch(keys: readonly ObjectKey[], options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
}
