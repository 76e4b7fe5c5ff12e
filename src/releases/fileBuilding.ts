import { createHash, hash } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
  chmodSync,
} from 'node:fs'
import { holdsContent } from './contentCheck.ts'
import { readFully } from './fileHashing.ts'
import { fingerprint } from './fingerprint.ts'
import { objectKey, type ObjectKey } from './objectKey.ts'
import { readObjectSync } from './objectReading.ts'
import type { Chunk } from './tree.ts'

export interface BuildFileJob {
  /** Path of the new file, which must not exist yet. */
  path: string
  mode: number
  size: number
  sha256: string
  parts: Chunk[]
  /** Root of the store that contains the parts. */
  store: string
  /** A file of another release that should have this content: it is read or cloned and then verified, never trusted. */
  twin: string | null
}

export type BuildFileResult =
  | { fingerprint: string; from: 'clone' | 'twin' | 'objects' }
  /** Keys of objects that are missing or damaged in the store. */
  | { damaged: ObjectKey[] }
  /** Every object is intact, but together they are not the file that the tree describes: the tree is wrong. */
  | { wrong: string }

/** Above this size a twin's content is not held in memory; the objects are used instead. */
const twinBytes = 64 * 1024 * 1024
const createOnly = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
let clonesWork = true // one flag per thread: a file system that cannot clone is tried once, not for each file

/**
 * Writes one file of a release as a separate inode: a clone if the file system shares blocks copy-on-write, otherwise a
 * copy. Never a hard link, because a write to one name of an inode changes all its names. Synchronous, for worker
 * threads.
 */
export function buildFile(job: BuildFileJob): BuildFileResult {
  if (job.twin !== null) {
    if (clone(job, job.twin)) return { fingerprint: finish(job), from: 'clone' }
    const content = readTwin(job, job.twin)
    if (content) return { fingerprint: write(job, [content]), from: 'twin' }
  }
  return buildFromObjects(job)
}

function clone(job: BuildFileJob, twin: string): boolean {
  if (!clonesWork || !lstatSync(twin, { throwIfNoEntry: false })?.isFile()) return false
  try {
    copyFileSync(twin, job.path, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // node:fs throws only such errors
    if (code === 'EEXIST') throw error
    clonesWork = code === 'ENOENT'
    return false
  }
  if (holdsContent(job)) return true
  unlinkSync(job.path)
  return false
}

function finish(job: BuildFileJob): string {
  chmodSync(job.path, job.mode)
  return fingerprint(lstatSync(job.path, { bigint: true }))
}

function readTwin(job: BuildFileJob, twin: string): Uint8Array | null {
  if (job.size > twinBytes) return null
  let file: number
  try {
    file = openSync(twin, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return null // changed or gone: the objects are used instead
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile() || stats.size !== job.size) return null
    const content = Buffer.allocUnsafe(job.size)
    const isWhole = readFully(file, content, 0, job.size) === job.size
    return isWhole && hash('sha256', content, 'hex') === job.sha256 ? content : null
  } finally {
    closeSync(file)
  }
}

function buildFromObjects(job: BuildFileJob): BuildFileResult {
  const faults: Faults = { damaged: [], wrong: null }
  const whole = job.parts.length > 1 ? createHash('sha256') : null
  const print = write(job, contents(job, faults, whole))
  if (faults.damaged.length === 0 && whole && whole.digest('hex') !== job.sha256) {
    faults.wrong ??= 'the chunks of a file do not match its hash'
  }
  if (faults.damaged.length === 0 && faults.wrong === null) return { fingerprint: print, from: 'objects' }
  unlinkSync(job.path)
  return faults.wrong === null ? { damaged: faults.damaged } : { wrong: faults.wrong }
}

interface Faults {
  damaged: ObjectKey[]
  wrong: string | null
}

function* contents(
  job: BuildFileJob,
  faults: Faults,
  whole: ReturnType<typeof createHash> | null,
): Generator<Uint8Array> {
  for (const [id, bytes] of job.parts) {
    const key = objectKey('blob', id)
    const content = readObjectSync(job.store, key)
    if (content === null) {
      faults.damaged.push(key)
      continue
    }
    if (content.length !== bytes)
      faults.wrong = `a file declares ${bytes} bytes for an object of ${content.length} bytes`
    if (faults.wrong !== null) return
    whole?.update(content)
    if (faults.damaged.length === 0) yield content
  }
}

function write(job: BuildFileJob, pieces: Iterable<Uint8Array>): string {
  const file = openSync(job.path, createOnly, 0o600)
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.length;) done += writeSync(file, piece, done)
    }
    fchmodSync(file, job.mode)
    return fingerprint(fstatSync(file, { bigint: true }))
  } finally {
    closeSync(file)
  }
}
