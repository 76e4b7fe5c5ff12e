import { parseManifest } from './manifest.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { parseTree, partsOf } from './tree.ts'

/** The direct references of an object. `E_RELEASE_CONTENT` for an invalid tree or manifest. */
export function childrenOf(key: ObjectKey, content: Uint8Array): ObjectKey[] {
  switch (splitKey(key).kind) {
    case 'blob':
      return []
    case 'manifest':
      return [objectKey('tree', parseManifest(content).tree)]
    case 'tree':
      return parseTree(content).entries.flatMap((entry) => {
        if (entry.type === 'folder') return [objectKey('tree', entry.tree)]
        return entry.type === 'file' ? partsOf(entry).map(([id]) => objectKey('blob', id)) : []
      })
  }
}
