import { OperatorError } from '../lib/operatorError.ts'
import { nameFault } from './entryName.ts'
import { targetFault } from './linkTarget.ts'
import { isHash } from './objectKey.ts'
import { releaseLimits } from './releaseLimits.ts'

/**
 * One folder of a release. Its id is the SHA-256 of the bytes that `encodeTree` returns, so equal folders have equal
 * ids.
 */
export interface Tree {
  /** Sorted by name (by UTF-16 code units), without duplicates. */
  entries: TreeEntry[]
}

export type TreeEntry = FileEntry | FolderEntry | LinkEntry

export interface FileEntry {
  type: 'file'
  name: string
  /** Permission bits, 0 to 0o777. */
  mode: number
  size: number
  /** SHA-256 of the whole content; also the blob's id if there are no chunks. */
  sha256: string
  /** Ids and sizes of the chunks in order; only for files above 1 MiB. */
  chunks?: Chunk[]
}

/** The SHA-256 and the size in bytes. */
export type Chunk = [id: string, bytes: number]

interface FolderEntry {
  type: 'folder'
  name: string
  mode: number
  tree: string
}

interface LinkEntry {
  type: 'link'
  name: string
  target: string
}

/** Format number at the begin of every tree object; another format has another number. */
const treeFormat = 1

/** The canonical encoding of a tree: JSON with keys in this order and sorted entries. */
export function encodeTree(tree: Tree): Buffer {
  const entries = tree.entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(inOrder)
  const bytes = Buffer.from(JSON.stringify({ format: treeFormat, entries }))
  if (bytes.length > releaseLimits.objectBytes.tree) {
    throw new OperatorError('E_RELEASE_CONTENT', 'a folder has too many entries', {
      subject: `${tree.entries.length} entries`,
      next: 'spread its files over subfolders',
    })
  }
  return bytes
}

/**
 * Parses bytes from the network or the disk. `E_RELEASE_CONTENT` unless they are the canonical encoding of a valid
 * tree.
 */
export function parseTree(bytes: Uint8Array): Tree {
  const tree = parseEntries(bytes)
  if (!encodeTree(tree).equals(bytes)) refuse('a folder listing is not in its canonical form')
  return tree
}

/** Returns the blobs that a file consists of, in order. */
export function partsOf(file: FileEntry): Chunk[] {
  return file.chunks ?? [[file.sha256, file.size]]
}

function parseEntries(bytes: Uint8Array): Tree {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw new OperatorError('E_RELEASE_CONTENT', 'a folder listing is not JSON', { cause })
  }
  const { format, entries } = record(value)
  if (format !== treeFormat) {
    refuse(
      `a folder listing has format ${String(format)}, but this version of Tandem supports format ${treeFormat}: upgrade Tandem on this machine`,
    )
  }
  if (!Array.isArray(entries)) return refuse('a folder listing has no entries')
  const parsed = entries.map(parseEntry)
  for (const [index, entry] of parsed.entries()) {
    const before = parsed[index - 1]
    if (before && before.name === entry.name) refuse('a folder contains a name twice', entry.name)
    if (before && before.name > entry.name) refuse('the names of a folder are not in order', entry.name)
  }
  return { entries: parsed }
}

function parseEntry(value: unknown): TreeEntry {
  const { type, name, mode, size, sha256, chunks, tree, target } = record(value)
  if (typeof name !== 'string') return refuse('an entry has no name')
  const fault = nameFault(name)
  if (fault) refuse(fault, JSON.stringify(name))
  switch (type) {
    case 'file':
      return parseFile(name, mode, size, sha256, chunks)
    case 'folder':
      if (!isHash(tree)) return refuse('a folder has no listing', name)
      return { type, name, mode: checkMode(name, mode), tree }
    case 'link':
      return { type, name, target: checkTarget(name, target) }
    default:
      return refuse('an entry is neither file, folder nor link', name)
  }
}

function parseFile(name: string, mode: unknown, size: unknown, sha256: unknown, chunks: unknown): FileEntry {
  if (!isSize(size) || size > releaseLimits.releaseBytes) return refuse('a file has an impossible size', name)
  if (!isHash(sha256)) return refuse('a file has no hash', name)
  const file: FileEntry = { type: 'file', name, mode: checkMode(name, mode), size, sha256 }
  const isChunked = size > releaseLimits.objectBytes.blob
  if (isChunked !== (chunks !== undefined)) return refuse('a small file has chunks, or a large file has none', name)
  return isChunked ? { ...file, chunks: parseChunks(name, size, chunks) } : file
}

function parseChunks(name: string, size: number, value: unknown): Chunk[] {
  if (!Array.isArray(value)) return refuse('the chunks of a file are not a list', name)
  const chunks = value.map((chunk: unknown): Chunk => {
    const [id, bytes, ...more] = Array.isArray(chunk) ? (chunk as unknown[]) : []
    const fits = isSize(bytes) && bytes > 0 && bytes <= releaseLimits.objectBytes.blob
    if (!isHash(id) || !fits || more.length > 0) return refuse('a chunk of a file is malformed', name)
    return [id, bytes]
  })
  const sum = chunks.reduce((total, [, bytes]) => total + bytes, 0)
  if (sum !== size) refuse(`the chunks of a file contain ${sum} bytes, but the file declares ${size}`, name)
  return chunks
}

function checkMode(name: string, mode: unknown): number {
  if (!isSize(mode) || mode > 0o777) return refuse('a mode contains more than permission bits', name)
  return mode
}

function checkTarget(name: string, target: unknown): string {
  if (typeof target !== 'string') return refuse('a symlink has no target', name)
  const fault = targetFault(target)
  if (fault) refuse(`a symlink is refused: ${fault}`, name)
  return target
}

function inOrder(entry: TreeEntry): TreeEntry {
  switch (entry.type) {
    case 'file': {
      const { type, name, mode, size, sha256, chunks } = entry
      return chunks ? { type, name, mode, size, sha256, chunks } : { type, name, mode, size, sha256 }
    }
    case 'folder':
      return { type: entry.type, name: entry.name, mode: entry.mode, tree: entry.tree }
    case 'link':
      return { type: entry.type, name: entry.name, target: entry.target }
  }
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0 // an integer, so a number

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('a folder listing is malformed')
  return value as Record<string, unknown> // an object that is not an array
}

function refuse(message: string, subject?: string): never {
  throw new OperatorError('E_RELEASE_CONTENT', message, subject === undefined ? {} : { subject })
}
