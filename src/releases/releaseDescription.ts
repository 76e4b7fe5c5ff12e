import type { Manifest } from './manifest.ts'
import type { ObjectKey } from './objectKey.ts'

/** A release as it lies in a folder, ready to be published: all its objects, the content of files still on disk. */
export interface ReleaseDescription {
  /** 64 hex digits. */
  id: string
  manifest: Manifest
  manifestBytes: Buffer
  /** Trees and what is directly below each, from the root to the leaves: a parent always before its children. */
  trees: Map<ObjectKey, DescribedTree>
  blobs: Map<ObjectKey, BlobSource>
  files: number
  /** Bytes of all files. */
  bytes: number
  /** What people should know of it, one sentence each. */
  warnings: string[]
  /** What the ignore files left out, a folder with a slash behind it, the first of them only; and which files were read. */
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

/** Milliseconds of each part, and what was really read. */
export interface DescribeTiming {
  walkMs: number
  hashMs: number
  hashedFiles: number
  hashedBytes: number
}
