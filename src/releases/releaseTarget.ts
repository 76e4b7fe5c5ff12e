import type { ObjectKey } from './objectKey.ts'

/** Where releases are published to: the controller through the API client, or a store in this process. */
export interface ReleaseTarget {
  /**
   * Those of at most 1000 keys that are not there. A tree that is there has all that is below it. What is there
   * stays at least until the lease ends.
   */
  missing(keys: readonly ObjectKey[]): Promise<ObjectKey[]>
  /** Takes blobs and trees as `encodeFrames` writes them, children before parents. */
  put(frames: AsyncIterable<Uint8Array>): Promise<void>
  /** Makes it a release: verifies all below the manifest. `E_RELEASE_INCOMPLETE`: something is missing, publish again. */
  commit(manifest: Uint8Array): Promise<{ id: string }>
}

/** Where machines fetch releases from. */
export interface ReleaseSource {
  /** The frames of these objects (at most 1000), in any order; fails with `E_RELEASE_GONE` when one is not there. */
  fetch(keys: readonly ObjectKey[], options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
}
