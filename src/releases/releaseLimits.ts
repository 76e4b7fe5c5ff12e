const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** What a release may be at most; the same when it is published, received and fetched. */
export const releaseLimits = {
  /** Uncompressed bytes of one object. A file above `blob` travels as chunks. */
  objectBytes: { blob: MiB, tree: 16 * MiB, manifest: MiB },
  /** All files of a release together, uncompressed: bounds what a small hostile tree can make a machine write. */
  releaseBytes: 64 * GiB,
  /** Files, folders and links. */
  entries: 1_000_000,
  depth: 128,
  nameBytes: 255,
  linkTargetBytes: 4095,
  /** Symlinks followed while resolving one; Linux gives up at 40 too. */
  linkHops: 40,
} as const

/** How much is asked for, and how much is under way, at one time. */
export const transferLimits = {
  keysPerRequest: 1000,
  /** Uncompressed bytes of one upload or download stream: what is sent again when a connection dies. */
  batchBytes: 8 * MiB,
  parallelStreams: 4,
  /** A publish starts over when the store lost something meanwhile. */
  publishAttempts: 3,
} as const
