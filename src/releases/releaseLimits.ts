const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** Largest release; the limits are the same for publishing, receiving and fetching. */
export const releaseLimits = {
  /** Uncompressed bytes of one object. A file larger than `blob` is transferred as chunks. */
  objectBytes: { blob: MiB, tree: 16 * MiB, manifest: MiB },
  /**
   * Uncompressed bytes of all files of a release together: limits how much a small hostile tree can make a machine
   * write.
   */
  releaseBytes: 64 * GiB,
  /** Number of files, folders and links. */
  entries: 1_000_000,
  depth: 128,
  nameBytes: 255,
  linkTargetBytes: 4095,
  /** Symlinks followed while resolving one symlink; Linux also gives up at 40. */
  linkHops: 40,
} as const

/** Limits of one request, and of parallel transfers. */
export const transferLimits = {
  keysPerRequest: 1000,
  /** Uncompressed bytes of one upload or download stream: the amount sent again when a connection breaks. */
  batchBytes: 8 * MiB,
  parallelStreams: 4,
  /** A publish starts again if the store lost something meanwhile. */
  publishAttempts: 3,
} as const
