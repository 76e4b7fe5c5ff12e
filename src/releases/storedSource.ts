import { readFile } from 'node:fs/promises'
import { OperatorError } from '../lib/operatorError.ts'
import { encodeFrames } from './objectFrames.ts'
import type { ObjectKey } from './objectKey.ts'
import { objectPath } from './objectPaths.ts'
import type { PackedObject } from './packedObject.ts'
import type { ReleaseSource } from './releaseTarget.ts'

/**
 * Reads releases from the folder of another store, without writing to it. The fetcher verifies each object by its hash,
 * so it does not matter which users could write to the folder.
 */
export const storedSource = (root: string): ReleaseSource => ({ fetch: (keys) => encodeFrames(packed(root, keys)) })

async function* packed(root: string, keys: readonly ObjectKey[]): AsyncGenerator<PackedObject> {
  for (const key of keys) yield await readPacked(root, key)
}

async function readPacked(root: string, key: ObjectKey): Promise<PackedObject> {
  for (const encoding of ['zstd', 'raw'] as const) {
    const bytes = await readFile(objectPath(root, key, encoding)).catch(() => null) // stored in the other encoding, or missing
    if (bytes) return { key, encoding, bytes }
  }
  throw new OperatorError('E_RELEASE_GONE', 'an object is missing from the store', {
    subject: key,
    next: 'Tandem fetches the object again',
  })
}
