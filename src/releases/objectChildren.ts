import { parseManifest } from './manifest.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { parseTree, partsOf } from './tree.ts'

/** What an object refers to directly. `E_RELEASE_CONTENT` for a tree or manifest that is not valid. */
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
