import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { readFully } from './fileHashing.ts'

export interface ContentJob {
  path: string
  size: number
  sha256: string
}

const readBytes = 1024 * 1024

/** Whether `path` is a regular file with exactly this content. Never blocks on a FIFO and never follows a symlink. */
export function holdsContent({ path, size, sha256 }: ContentJob): boolean {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size !== size) return false
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, size + 1))
    for (let total = 0; ;) {
      const got = readFully(file, buffer, 0, buffer.length)
      hash.update(buffer.subarray(0, got))
      total += got
      if (total > size) return false
      if (got < buffer.length) return total === size && hash.digest('hex') === sha256
    }
  } finally {
    closeSync(file)
  }
}
