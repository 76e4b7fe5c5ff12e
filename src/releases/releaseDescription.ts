import type { Manifest } from './manifest.ts'
import type { ObjectKey } from './objectKey.ts'

/** A release in a folder, ready to be published: all its objects, with the content of files still on disk. */
export interface ReleaseDescription {
  /** Id of the release, 64 hex digits. */
  id: string
  manifest: Manifest
  manifestBytes: Buffer
  /** Trees and the objects directly below each, from the root to the leaves: a parent always before its children. */
  trees: Map<ObjectKey, DescribedTree>
  blobs: Map<ObjectKey, BlobSource>
  files: number
  /** Bytes of all files. */
  bytes: number
  /** Warnings for people, one sentence each. */
  warnings: string[]
  /**
   * Ignored paths (folders with a slash at the end, only the first paths), and the name of the ignore files that were
   * read.
   */
  leftOut: { ignoreFile: string; paths: string[] }
  timing: DescribeTiming
}

export interface DescribedTree {
  bytes: Buffer
  children: ObjectKey[]
}

/** Where to read a blob's content when it is needed. */
export interface BlobSource {
  path: string
  offset: number
  bytes: number
}

/** Milliseconds of each step, and how much was really read. */
export interface DescribeTiming {
  walkMs: number
  hashMs: number
  hashedFiles: number
  hashedBytes: number
}
