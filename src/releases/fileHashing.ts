import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { chunkBytes, cutAfter } from './chunker.ts'
import { fingerprint } from './fingerprint.ts'
import { releaseLimits } from './releaseLimits.ts'
import type { Chunk } from './tree.ts'

export interface HashJob {
  path: string
  size: number
  /** Fingerprint when the walk saw the file. */
  fingerprint: string
}

export interface FileHash {
  sha256: string
  /** `null` for files up to 1 MiB. */
  chunks: Chunk[] | null
}

/** `changed`: the file is not, or no longer, the file that the walk saw. */
export type HashResult = FileHash | { changed: true }

const readBytes = 8 * chunkBytes.max

/** Hashes and chunks one file. Synchronous, for worker threads. */
export function hashFile(job: HashJob): HashResult {
  const file = openSync(job.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const isSame = (): boolean => fingerprint(fstatSync(file, { bigint: true })) === job.fingerprint
    if (!isSame()) return { changed: true }
    const result = job.size > releaseLimits.objectBytes.blob ? hashLarge(file, job.size) : hashSmall(file, job.size)
    return result && isSame() ? result : { changed: true }
  } finally {
    closeSync(file)
  }
}

function hashSmall(file: number, size: number): FileHash | null {
  const bytes = Buffer.allocUnsafe(size)
  if (readFully(file, bytes, 0, size) !== size) return null
  return { sha256: hash('sha256', bytes, 'hex'), chunks: null }
}

function hashLarge(file: number, size: number): FileHash | null {
  const whole = createHash('sha256')
  const chunks: Chunk[] = []
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, size))
  let [held, total] = [0, 0]
  while (total < size) {
    const wanted = Math.min(buffer.length - held, size - total)
    if (readFully(file, buffer, held, wanted) !== wanted) return null
    whole.update(buffer.subarray(held, held + wanted))
    held += wanted
    total += wanted
    const enough = total === size ? 1 : chunkBytes.max
    let start = 0
    while (held - start >= enough) {
      const end = cutAfter(buffer, start, held)
      chunks.push([hash('sha256', buffer.subarray(start, end), 'hex'), end - start])
      start = end
    }
    buffer.copyWithin(0, start, held)
    held -= start
  }
  return { sha256: whole.digest('hex'), chunks }
}

/** Reads `length` bytes; fewer only if the file ends. */
export function readFully(file: number, buffer: Buffer, offset: number, length: number): number {
  let read = 0
  while (read < length) {
    const got = readSync(file, buffer, offset + read, length - read, null)
    if (got === 0) break
    read += got
  }
  return read
}
