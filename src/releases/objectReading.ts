import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { OperatorError } from '../lib/operatorError.ts'
import { readFully } from './fileHashing.ts'
import type { ObjectReader } from './manifest.ts'
import { splitKey, type ObjectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import { unpackSync, type Encoding } from './packedObject.ts'
import { releaseLimits } from './releaseLimits.ts'

const encodings: readonly Encoding[] = ['zstd', 'raw']
/** A reader as root must not be led elsewhere, nor wait for the writer of a FIFO. */
const plainFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Reads an object's verified content directly from a store's folder, which another user may have filled; `null` if
 * missing or damaged.
 */
export function readObjectSync(root: string, key: ObjectKey): Uint8Array | null {
  for (const encoding of encodings) {
    const bytes = contentOf(objectPath(root, key, encoding), releaseLimits.objectBytes[splitKey(key).kind])
    if (bytes === null) continue
    try {
      return unpackSync({ key, encoding, bytes })
    } catch (error) {
      if (error instanceof OperatorError) return null
      throw error
    }
  }
  return null
}

/** The objects of a store that belongs to another process. */
export const objectsIn = (root: string): ObjectReader => ({
  get: async (key) => {
    const content = readObjectSync(root, key)
    if (content) return content
    throw new OperatorError('E_RELEASE_GONE', 'an object is missing from the store, or is damaged', { subject: key })
  },
})

/** `null`: there is no such file, or it is no file of at most `most` bytes: compressed, no object is larger. */
function contentOf(path: string, most: number): Uint8Array | null {
  let file: number
  try {
    file = openSync(path, plainFile)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws only such errors
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO' || code === 'ENOTDIR') return null
    throw error
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size > most) return null
    const content = Buffer.allocUnsafe(stats.size)
    return readFully(file, content, 0, stats.size) === stats.size ? content : null
  } finally {
    closeSync(file)
  }
}
