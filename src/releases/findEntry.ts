import { objectKey } from './objectKey.ts'
import type { ReleaseDescription } from './releaseDescription.ts'
import { parseTree, type TreeEntry } from './tree.ts'

/** The entry of a described release at a path with slashes; `null`: there is none. */
export function findEntry({ manifest, trees }: ReleaseDescription, path: string): TreeEntry | null {
  const names = path.split('/')
  let tree = manifest.tree
  for (const [index, name] of names.entries()) {
    const known = trees.get(objectKey('tree', tree))
    const entry = known && parseTree(known.bytes).entries.find((one) => one.name === name)
    if (!entry) return null
    if (index === names.length - 1) return entry
    if (entry.type !== 'folder') return null
    tree = entry.tree
  }
  return null
}
