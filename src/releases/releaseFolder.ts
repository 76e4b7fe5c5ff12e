import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../lib/operatorError.ts'
import type { BuildFileJob } from './fileBuilding.ts'
import type { FolderIndex } from './folderIndex.ts'
import type { Found } from './folderSurvey.ts'
import { runJobs } from './jobs.ts'
import type { ObjectKey } from './objectKey.ts'
import type { ReleaseListing } from './releaseListing.ts'
import { partsOf, type FileEntry } from './tree.ts'

export interface FolderOptions {
  /** Root of the store that contains the blobs. */
  store: string
  /** Returns a path where a file with this content should be; the file is verified, not trusted. */
  twinOf: (file: { path: string; entry: FileEntry }) => string | null
  signal?: AbortSignal
}

export type Built = { fingerprints: Record<string, string> } | { damaged: ObjectKey[] }

/**
 * Writes a release's folder at `root`, which must not exist. Every name is created exclusively, folders first and
 * symlinks last, so that no write passes through a symlink, and names that the file system treats as equal are refused.
 */
export async function buildFolder(root: string, listing: ReleaseListing, options: FolderOptions): Promise<Built> {
  for (const { path } of listing.folders) await mkdir(join(root, path), { mode: 0o700 }).catch(explainClash)
  const results = await runJobs({
    task: 'build',
    jobs: listing.files.map((file) => buildJob(root, file, options)),
    bytesOf: ({ size }) => size,
    signal: options.signal,
  }).catch(explainClash)
  const damaged: ObjectKey[] = []
  const fingerprints: Record<string, string> = {}
  for (const [index, result] of results.entries()) {
    const path = listing.files[index]?.path ?? ''
    if ('fingerprint' in result) fingerprints[path] = result.fingerprint
    else if ('damaged' in result) damaged.push(...result.damaged)
    else throw new OperatorError('E_RELEASE_CONTENT', `the release was refused: ${result.wrong}`, { subject: path })
  }
  if (damaged.length > 0) return { damaged }
  for (const [path, target] of listing.links) await symlink(target, join(root, path)).catch(explainClash)
  for (const { path, mode } of listing.folders.toReversed()) await chmod(join(root, path), folderMode(mode))
  return { fingerprints }
}

/**
 * Checks that a release's folder is exactly the release: every name, kind, mode and target, and the content of each
 * file whose fingerprint differs from the index. Returns the current fingerprints, or `null` if anything differs.
 */
export async function verifyFolder(
  root: string,
  listing: ReleaseListing,
  index: FolderIndex | null,
  signal?: AbortSignal,
): Promise<Record<string, string> | null> {
  const expected = listing.folders.length + listing.files.length + listing.links.size
  const jobs = [{ root, maxEntries: expected }]
  const [survey] = await runJobs({ task: 'survey', jobs, bytesOf: () => expected * surveyWeight, signal })
  if (!survey || survey.length !== expected) return null
  const found = new Map(survey.map((entry) => [entry.path, entry]))
  if (!structureMatches(found, listing)) return null

  const fingerprints: Record<string, string> = {}
  for (const entry of survey) if (entry.type === 'file') fingerprints[entry.path] = entry.fingerprint
  const suspects = listing.files.filter(({ path }) => index?.fingerprints[path] !== fingerprints[path])
  const sound = await runJobs({
    task: 'check',
    jobs: suspects.map(({ path, entry }) => ({ path: join(root, path), size: entry.size, sha256: entry.sha256 })),
    bytesOf: ({ size }) => size,
    signal,
  })
  return sound.every(Boolean) ? fingerprints : null
}

/** Bytes that could be copied while one name is examined: decides whether a thread is worth its cost. */
const surveyWeight = 4096

/** No user may write; the owner may read, since otherwise the file could not be verified. */
const fileMode = (mode: number): number => (mode & 0o555) | 0o400
const folderMode = (mode: number): number => (mode & 0o555) | 0o500

function structureMatches(found: ReadonlyMap<string, Found>, listing: ReleaseListing): boolean {
  const folders = listing.folders.every(({ path, mode }) => {
    const entry = found.get(path)
    return entry?.type === 'folder' && entry.mode === folderMode(mode)
  })
  const files = listing.files.every(({ path, entry: { mode } }) => {
    const entry = found.get(path)
    return entry?.type === 'file' && entry.mode === fileMode(mode)
  })
  const links = [...listing.links].every(([path, target]) => {
    const entry = found.get(path)
    return entry?.type === 'link' && entry.target === target
  })
  return folders && files && links
}

function buildJob(root: string, file: { path: string; entry: FileEntry }, options: FolderOptions): BuildFileJob {
  const { size, sha256, mode } = file.entry
  return {
    path: join(root, file.path),
    mode: fileMode(mode),
    size,
    sha256,
    parts: partsOf(file.entry),
    store: options.store,
    twin: options.twinOf(file),
  }
}

function explainClash(error: unknown): never {
  const { code, path } = error as NodeJS.ErrnoException // other errors have another code or none
  if (code !== 'EEXIST') throw error
  throw new OperatorError(
    'E_RELEASE_CONTENT',
    'two paths of the release collide on this file system (is it case-insensitive?)',
    {
      subject: path,
      next: 'rename one of the two paths; they may differ only in case or in the encoding of an accent',
      cause: error,
    },
  )
}
