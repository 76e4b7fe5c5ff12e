import { readFileSync } from 'node:fs'
import { OperatorError } from '../lib/operatorError.ts'
import type { ObjectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import { unpackSync, type Encoding } from './packedObject.ts'

const encodings: readonly Encoding[] = ['zstd', 'raw']

/**
 * Reads an object's verified content directly from a store's folder, for worker threads; `null` if missing or damaged.
 */
export function readObjectSync(root: string, key: ObjectKey): Uint8Array | null {
  for (const encoding of encodings) {
    let bytes: Buffer
    try {
      bytes = readFileSync(objectPath(root, key, encoding))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue // node:fs throws only such errors
      throw error
    }
    try {
      return unpackSync({ key, encoding, bytes })
    } catch (error) {
      if (error instanceof OperatorError) return null
      throw error
    }
  }
  return null
}
