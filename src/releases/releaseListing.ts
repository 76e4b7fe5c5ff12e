import { OperatorError } from '../lib/operatorError.ts'
import { findEscape } from './linkTarget.ts'
import type { ObjectReader } from './manifest.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import { releaseLimits } from './releaseLimits.ts'
import { parseTree, partsOf, type FileEntry, type Tree } from './tree.ts'

/**
 * All entries of a release as flat lists. Paths are relative to the root, with slashes; folders come before their
 * content.
 */
export interface ReleaseListing {
  folders: { path: string; mode: number }[]
  files: { path: string; entry: FileEntry }[]
  links: Map<string, string>
  /** Bytes of all files. */
  bytes: number
  /** Every tree with its bytes, children before parents. */
  trees: Map<ObjectKey, Uint8Array>
  /** Every blob and its uncompressed size. */
  blobs: Map<ObjectKey, number>
}

/**
 * Reads every tree below a root and applies the rules by which a folder is published. `E_RELEASE_CONTENT` for a tree
 * that no honest publisher makes, `E_RELEASE_GONE` if a tree is missing.
 */
export async function readListing(root: string, reader: ObjectReader): Promise<ReleaseListing> {
  const listing: ReleaseListing = {
    folders: [{ path: '', mode: 0o755 }],
    files: [],
    links: new Map(),
    bytes: 0,
    trees: new Map(),
    blobs: new Map(),
  }
  const parsed = new Map<string, Tree>()
  let entries = 0

  const visit = async (path: string, id: string, depth: number): Promise<void> => {
    if (depth > releaseLimits.depth) throw refusal(`folders are nested deeper than ${releaseLimits.depth}`, path)
    const key = objectKey('tree', id)
    let tree = parsed.get(id)
    let bytes: Uint8Array | null = null
    if (!tree) {
      bytes = await reader.get(key)
      tree = parseTree(bytes)
      parsed.set(id, tree)
    }
    entries += tree.entries.length
    if (entries > releaseLimits.entries) throw refusal(`more than ${releaseLimits.entries} entries`, path)
    for (const entry of tree.entries) {
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      switch (entry.type) {
        case 'file':
          addFile(listing, below, entry)
          break
        case 'folder':
          listing.folders.push({ path: below, mode: entry.mode })
          await visit(below, entry.tree, depth + 1)
          break
        case 'link':
          listing.links.set(below, entry.target)
      }
    }
    if (bytes) listing.trees.set(key, bytes)
  }

  await visit('', root, 0)
  const escape = findEscape(listing.links)
  if (escape) throw refusal(`a symlink points out of the release, to ${escape.target}`, escape.path)
  return listing
}

function addFile(listing: ReleaseListing, path: string, entry: FileEntry): void {
  listing.bytes += entry.size
  if (listing.bytes > releaseLimits.releaseBytes) {
    throw refusal(`more than ${releaseLimits.releaseBytes} bytes`, path)
  }
  listing.files.push({ path, entry })
  for (const [id, bytes] of partsOf(entry)) {
    const key = objectKey('blob', id)
    const known = listing.blobs.get(key)
    if (known !== undefined && known !== bytes) throw refusal('the release declares two sizes for one object', path)
    listing.blobs.set(key, bytes)
  }
}

function refusal(message: string, subject: string): OperatorError {
  return new OperatorError('E_RELEASE_CONTENT', `the release was refused: ${message}`, { subject })
}
