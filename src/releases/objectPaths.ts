import { join } from 'node:path'
import { splitKey, type ObjectKey, type ObjectKind } from './objectKey.ts'
import type { Encoding } from './packedObject.ts'

/** The folder of each kind below a store's root. */
export const kindFolders: Record<ObjectKind, string> = { blob: 'objects', tree: 'trees', manifest: 'manifests' }

/** Compressed objects end in `.zst`, so that `zstd -dc FILE | sha256sum` can check a store by hand. */
export const encodingSuffixes: Record<Encoding, string> = { zstd: '.zst', raw: '' }

/** Path of an object below a store's root: `objects/ab/cdef…`. */
export function objectPath(root: string, key: ObjectKey, encoding: Encoding): string {
  const { kind, id } = splitKey(key)
  return join(root, kindFolders[kind], id.slice(0, 2), id.slice(2) + encodingSuffixes[encoding])
}
