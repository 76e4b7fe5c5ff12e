import { readFile } from 'node:fs/promises'
import { OperatorError } from '../lib/operatorError.ts'
import { encodeFrames } from './objectFrames.ts'
import type { ObjectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import type { PackedObject } from './packedObject.ts'
import type { ReleaseSource } from './releaseTarget.ts'

/**
 * Releases out of the folder of another's store, which is only read: whoever fetches verifies each object by its name, so
 * it does not matter who could write there.
 */
export const storedSource = (root: string): ReleaseSource => ({ fetch: (keys) => encodeFrames(packed(root, keys)) })

async function* packed(root: string, keys: readonly ObjectKey[]): AsyncGenerator<PackedObject> {
  for (const key of keys) yield await readPacked(root, key)
}

async function readPacked(root: string, key: ObjectKey): Promise<PackedObject> {
  for (const encoding of ['zstd', 'raw'] as const) {
    const bytes = await readFile(objectPath(root, key, encoding)).catch(() => null) // the other one, or not here
    if (bytes) return { key, encoding, bytes }
  }
  throw new OperatorError('E_RELEASE_GONE', 'an object is not in the store', {
    subject: key,
    next: 'it is fetched again',
  })
}
