import { realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { Definition } from '../definitions/definition.ts'
import { systemClock, type Clock } from '../lib/clock.ts'
import { sha256 } from '../lib/hash.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { fileCapabilities } from './fileCapabilities.ts'
import type { FileHash } from './fileHashing.ts'
import { changed, walkFolder, type WalkedFile, type WalkedFolder } from './folderWalk.ts'
import { noHashCache, openHashCache } from './hashCache.ts'
import { ignoreNothing, readIgnoreRules } from './ignoreRules.ts'
import { runJobs } from './jobs.ts'
import { encodeManifest, parseManifest, releaseIdOf } from './manifest.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import type { BlobSource, DescribedTree, ReleaseDescription } from './releaseDescription.ts'
import { releaseLimits } from './releaseLimits.ts'
import { encodeTree, partsOf, type FileEntry, type TreeEntry } from './tree.ts'

export interface DescribeOptions {
  definition: Definition
  /** Folder in which hashes of unchanged files are kept between pushes; without it, every file is read. */
  cacheFolder?: string
  signal?: AbortSignal
  onProgress?: (done: { files: number; of: number }) => void
  clock?: Clock
}

/**
 * Describes the definition's folder as a release: its `output` as a whole, or the folder itself without `.git` and the
 * ignored files. `E_RELEASE_CONTENT` names content that a release may not contain, or a file that changed while it was
 * read.
 */
export async function describeFolder(folder: string, options: DescribeOptions): Promise<ReleaseDescription> {
  const clock = options.clock ?? systemClock
  const [startedAt, start] = [clock.now(), clock.monotonic()]
  const root = await contentRoot(folder, options.definition.build.output)
  const warnings: string[] = []
  const warnOfLink = (path: string): void => {
    warnings.push(`${path} is a symlink: git ignores it, so its rules have no effect`)
  }
  const rules = options.definition.build.output === null ? await readIgnoreRules(root, warnOfLink) : ignoreNothing
  const walk = await walkFolder(root, rules, options.signal)
  const walkMs = clock.monotonic() - start

  const cache = options.cacheFolder ? await openHashCache(options.cacheFolder, root, startedAt) : noHashCache
  const hashes = new Map<WalkedFile, FileHash>()
  const unknown: WalkedFile[] = []
  for (const file of walk.files) {
    const known = cache.find(file)
    if (known) hashes.set(file, known)
    else unknown.push(file)
  }
  await hashFiles(root, unknown, hashes, walk.files.length, options)
  await cache.keep(hashes)

  const trees = new Map<ObjectKey, DescribedTree>()
  const blobs = new Map<ObjectKey, BlobSource>()
  const tree = describeTree(walk.root, root, hashes, trees, blobs)
  const manifestBytes = encodeManifest(options.definition, tree)
  const bytes = total(walk.files)
  if (bytes > releaseLimits.releaseBytes) {
    throw new OperatorError(
      'E_RELEASE_CONTENT',
      `the folder contains ${bytes} bytes, more than a release may contain`,
      { subject: root },
    )
  }
  return {
    id: releaseIdOf(manifestBytes),
    manifest: parseManifest(manifestBytes),
    manifestBytes,
    trees: new Map([...trees].toReversed()),
    blobs,
    files: walk.files.length,
    bytes,
    warnings: [...warnings, ...(await lostCapabilities(root, walk.files, options.definition))],
    leftOut: { ignoreFile: rules.name, paths: walk.leftOut },
    timing: {
      walkMs,
      hashMs: clock.monotonic() - start - walkMs,
      hashedFiles: unknown.length,
      hashedBytes: total(unknown),
    },
  }
}

/**
 * Warns of file capabilities, which a release cannot carry: a machine gives a service the capabilities that its
 * definition names.
 */
async function lostCapabilities(root: string, files: WalkedFile[], { jail }: Definition): Promise<string[]> {
  const programs = files.filter(({ mode }) => mode === 0o755).map(({ path }) => path)
  const found = await fileCapabilities(root, programs)
  return [...found].flatMap(([path, capabilities]) => {
    if (capabilities.length > 0 && capabilities.every((one) => jail?.capabilities?.includes(one))) return []
    const named = capabilities.length > 0 ? capabilities.join(', ') : 'CAP_…'
    return [
      `${path} has file capabilities, which a release does not keep: name the capabilities that it needs in tandem.yaml, ` +
        `jail: { capabilities: [${named}] }`,
    ]
  })
}

const total = (files: WalkedFile[]): number => files.reduce((sum, { size }) => sum + size, 0)

async function contentRoot(folder: string, output: string | null): Promise<string> {
  const next =
    output === null
      ? 'give an existing folder'
      : 'check that `build.command` makes the folder and that `build.output` names it'
  const wanted = resolve(folder, output ?? '.')
  const [base, root] = await Promise.all([realpath(folder), realpath(wanted)]).catch((cause: unknown) => {
    throw new OperatorError('E_RELEASE_CONTENT', 'the folder does not exist', { subject: wanted, next, cause })
  })
  if (root !== base && !root.startsWith(base.endsWith(sep) ? base : base + sep)) {
    throw new OperatorError('E_RELEASE_CONTENT', 'the output is outside the definition’s folder', {
      subject: `${wanted} -> ${root}`,
      next: 'make the build write below the definition’s folder',
    })
  }
  return root
}

async function hashFiles(
  root: string,
  files: WalkedFile[],
  hashes: Map<WalkedFile, FileHash>,
  of: number,
  { signal, onProgress }: DescribeOptions,
): Promise<void> {
  let done = of - files.length
  const results = await runJobs({
    task: 'hash',
    jobs: files.map(({ path, size, fingerprint }) => ({ path: join(root, path), size, fingerprint })),
    bytesOf: ({ size }) => size,
    signal,
    onDone: (jobs) => onProgress?.({ files: (done += jobs), of }),
  }).catch((error: unknown) => {
    throw readFailure(error)
  })
  for (const [index, file] of files.entries()) {
    const result = results[index]
    if (result === undefined || 'changed' in result) throw changed(file.path)
    hashes.set(file, result)
  }
}

function readFailure(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException // any other error has neither and is returned unchanged
  if (code === 'ENOENT' || code === 'ELOOP') return changed(path ?? 'a file')
  if (code !== 'EACCES' && code !== 'EPERM') return error
  return new OperatorError('E_RELEASE_CONTENT', 'the file or folder cannot be read', {
    subject: path,
    next: 'give your user read permission, or name it in .tandemignore',
    cause: error,
  })
}

/** Mode of every folder in a release: the publisher's user and umask are not part of a release. */
const folderMode = 0o755

/** Adds a folder's tree after the trees below it, and returns the id of the tree. */
function describeTree(
  folder: WalkedFolder,
  root: string,
  hashes: ReadonlyMap<WalkedFile, FileHash>,
  trees: Map<ObjectKey, DescribedTree>,
  blobs: Map<ObjectKey, BlobSource>,
): string {
  const entries: TreeEntry[] = []
  const children: ObjectKey[] = []
  for (const [name, below] of folder.folders) {
    const tree = describeTree(below, root, hashes, trees, blobs)
    entries.push({ type: 'folder', name, mode: folderMode, tree })
    children.push(objectKey('tree', tree))
  }
  for (const [name, file] of folder.files) {
    const entry = fileEntry(name, file, hashes)
    entries.push(entry)
    let offset = 0
    for (const [id, bytes] of partsOf(entry)) {
      blobs.set(objectKey('blob', id), { path: join(root, file.path), offset, bytes })
      children.push(objectKey('blob', id))
      offset += bytes
    }
  }
  for (const [name, target] of folder.links) entries.push({ type: 'link', name, target })
  const bytes = encodeTree({ entries })
  const id = sha256(bytes)
  const key = objectKey('tree', id)
  if (!trees.has(key)) trees.set(key, { bytes, children: [...new Set(children)] })
  return id
}

function fileEntry(name: string, file: WalkedFile, hashes: ReadonlyMap<WalkedFile, FileHash>): FileEntry {
  const hash = hashes.get(file)
  if (!hash) throw new Error(`${file.path} was never hashed`)
  const { mode, size } = file
  const entry: FileEntry = { type: 'file', name, mode, size, sha256: hash.sha256 }
  return hash.chunks ? { ...entry, chunks: hash.chunks } : entry
}
