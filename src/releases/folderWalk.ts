import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { OperatorError } from '../lib/operatorError.ts'
import { nameFault } from './entryName.ts'
import { fingerprint } from './fingerprint.ts'
import { asBytes, type IgnoreRules } from './ignoreRules.ts'
import { findEscape, targetFault } from './linkTarget.ts'
import { releaseLimits } from './releaseLimits.ts'

/** A folder on the publisher's disk as seen at one moment; no file has been read yet. */
export interface WalkedFolder {
  folders: Map<string, WalkedFolder>
  files: Map<string, WalkedFile>
  links: Map<string, string>
}

export interface WalkedFile {
  /** Path relative to the root, with slashes. */
  path: string
  mode: 0o644 | 0o755
  size: number
  fingerprint: string
  /** Nanoseconds since the epoch: the later of mtime and ctime. */
  changedAtNs: bigint
}

export interface Walk {
  root: WalkedFolder
  files: WalkedFile[]
  /** Ignored paths, folders with a slash at the end and without their content; only the first ones are kept. */
  leftOut: string[]
}

/** Number of ignored names that are kept for messages. */
const mostLeftOut = 10_000

/** Number of folders between two turns of the event loop. The calls are synchronous, since that is ten times faster. */
const foldersPerTurn = 64

/** Walks a folder. `E_RELEASE_CONTENT` names any content that a release may not contain. */
export async function walkFolder(root: string, rules: IgnoreRules, signal?: AbortSignal): Promise<Walk> {
  const files: WalkedFile[] = []
  const leftOut: string[] = []
  const links = new Map<string, string>()
  let [seen, visited] = [0, 0]

  const visit = async (path: string, rules: IgnoreRules, depth: number): Promise<WalkedFolder> => {
    if (depth > releaseLimits.depth) throw refusal(path, `folders are nested deeper than ${releaseLimits.depth}`)
    if (++visited % foldersPerTurn === 0) await setImmediate()
    signal?.throwIfAborted()
    const folder: WalkedFolder = {
      folders: new Map(),
      files: new Map(),
      links: new Map(),
    }
    const pathBytes = asBytes(path)
    for (const { name, bytes } of namesIn(join(root, path))) {
      const below = join(path, name)
      const fault = nameFault(name)
      const stats = lstatSync(rawPath(join(root, path), name, bytes), { bigint: true, throwIfNoEntry: false })
      const isFolder = stats?.isDirectory() ?? false
      if (rules.ignores(join(pathBytes, bytes), isFolder)) {
        if (leftOut.length < mostLeftOut && name !== '.git') leftOut.push(isFolder ? `${below}/` : below)
        continue
      }
      if (fault) throw refusal(JSON.stringify(below), fault)
      if (!stats) throw changed(below)
      if (++seen > releaseLimits.entries)
        throw refusal(root, `the folder contains more than ${releaseLimits.entries} entries`)
      if (isFolder) {
        folder.folders.set(name, await visit(below, await rules.enter(below), depth + 1))
      } else if (stats.isSymbolicLink()) {
        const target = readLink(root, below)
        folder.links.set(name, target)
        links.set(below, target)
      } else {
        const file = plainFile(below, stats)
        folder.files.set(name, file)
        files.push(file)
      }
    }
    return folder
  }

  const walked = await visit('', rules, 0)
  const escape = findEscape(links)
  if (escape) throw refusal(escape.path, `the symlink points out of the release, to ${escape.target}`)
  return { root: walked, files, leftOut }
}

/** The folder's content changed between two looks: it is unclear which content is the release. */
export function changed(path: string): OperatorError {
  return new OperatorError('E_RELEASE_CONTENT', 'the content changed while it was read', {
    subject: path,
    next: 'wait until no process (a build, a watcher) writes there, or ignore it, then push again',
  })
}

interface Name {
  name: string
  /** One character per byte: `name` loses the bytes of a name that is not UTF-8. */
  bytes: string
}

function namesIn(folder: string): Name[] {
  const names = readdirSync(folder)
  if (!names.some((name) => name.includes('\uFFFD'))) return names.map((name) => ({ name, bytes: asBytes(name) }))
  return readdirSync(folder, { encoding: 'buffer' }).map((raw) => ({
    name: raw.toString(),
    bytes: raw.toString('latin1'),
  }))
}

const rawPath = (folder: string, name: string, bytes: string): string | Buffer =>
  name.includes('\uFFFD') ? Buffer.from(join(asBytes(folder), bytes), 'latin1') : join(folder, name)

const join = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

function plainFile(path: string, stats: BigIntStats): WalkedFile {
  if (!stats.isFile()) throw refusal(path, `a ${kindOf(stats)} cannot be part of a release`)
  const mode = Number(stats.mode & 0o7777n)
  if (mode > 0o777) throw refusal(path, 'the file has the setuid, setgid or sticky bit', 'chmod a-st it, or ignore it')
  const changedAtNs = stats.mtimeNs > stats.ctimeNs ? stats.mtimeNs : stats.ctimeNs
  return { path, mode: normalMode(mode), size: Number(stats.size), fingerprint: fingerprint(stats), changedAtNs }
}

/**
 * As in git, only the owner's execute permission counts. The rest is the publisher's umask and not part of a release.
 */
const normalMode = (mode: number): WalkedFile['mode'] => ((mode & 0o100) === 0 ? 0o644 : 0o755)

function readLink(root: string, path: string): string {
  const target = readlinkSync(join(root, path))
  const fault = targetFault(target)
  if (fault)
    throw refusal(
      path,
      `the symlink is refused: ${fault}`,
      'make the target relative, replace the symlink by a copy, or ignore it',
    )
  return target
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'fifo'
  if (stats.isSocket()) return 'socket'
  return 'device'
}

function refusal(subject: string, message: string, next = 'remove it, or name it in .tandemignore'): OperatorError {
  return new OperatorError('E_RELEASE_CONTENT', message, { subject, next })
}
