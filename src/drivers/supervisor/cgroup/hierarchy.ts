import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export type CgroupController = 'memory' | 'cpu' | 'pids'
const allControllers: CgroupController[] = ['memory', 'cpu', 'pids']

/** One tree of control groups and the place in the tree for the groups of the instances of this agent. */
export interface Hierarchy {
  version: 1 | 2
  controllers: CgroupController[]
  /** Ends in `tandem/NAME`. */
  base: string
  /** Every instance gets a group here, with or without limits: the group identifies the processes of the instance. */
  tracks: boolean
}

interface Mount {
  version: 1 | 2
  point: string
  /** The part of the tree that is mounted here. */
  root: string
  options: string[]
}

/** Kernel data about mounts and about the groups of this process. */
export interface CgroupFacts {
  /** /proc/self/mountinfo */
  mounts: string
  /** /proc/self/cgroup */
  own: string
}

export function findHierarchies(name: string, facts = readFacts()): { hierarchies: Hierarchy[]; why: string | null } {
  const mounts = parseMounts(facts.mounts)
  const hierarchies: Hierarchy[] = []
  const reasons = new Set<string>()
  const missing = new Set<CgroupController>(allControllers)
  const attempt = (find: () => Hierarchy): void => {
    try {
      const found = find()
      for (const controller of found.controllers) missing.delete(controller)
      hierarchies.push(found)
    } catch (error) {
      reasons.add(error instanceof Error ? error.message : String(error))
    }
  }
  const unified = mounts.find(({ version }) => version === 2)
  if (unified !== undefined && offered(unified.point).length > 0) {
    attempt(() => openUnified(unified, ownPath(facts.own, ''), name))
  }
  for (const controller of allControllers.filter((name) => missing.has(name))) {
    const mount = mounts.find(({ version, options }) => version === 1 && options.includes(controller))
    if (mount !== undefined) attempt(() => openV1(mount, controller, ownPath(facts.own, controller), name))
  }
  if (missing.size === 0) return { hierarchies, why: null }
  if (reasons.size === 0) reasons.add('this kernel offers no control groups for these limits')
  return { hierarchies, why: [...reasons].join('; ') }
}

function readFacts(): CgroupFacts {
  return { mounts: readFileSync('/proc/self/mountinfo', 'utf8'), own: readFileSync('/proc/self/cgroup', 'utf8') }
}

/** Man 5 proc_pid_mountinfo: the kernel writes blanks in a path as \040. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = []
  for (const line of text.split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const [kind, , options = ''] = right.split(' ')
    if (kind !== 'cgroup' && kind !== 'cgroup2') continue
    const [, , , root = '/', point = ''] = left.split(' ').map((field) => field.replaceAll('\\040', ' '))
    mounts.push({ version: kind === 'cgroup' ? 1 : 2, point, root, options: options.split(',') })
  }
  return mounts
}

/** `controller` is empty for v2. */
function ownPath(text: string, controller: string): string {
  for (const line of text.split('\n')) {
    const [number = '', names = '', ...path] = line.split(':')
    if (controller === '' ? number === '0' && names === '' : names.split(',').includes(controller))
      return path.join(':')
  }
  return '/'
}

/** Folder of the group `path`; the mount point itself if the path lies outside the mounted part (in a container). */
function folderOf(mount: Mount, path: string): string {
  const below = relative(mount.root, path)
  const folder = below.startsWith('..') ? mount.point : join(mount.point, below)
  return existsSync(folder) ? folder : mount.point
}

const v1Files: Record<CgroupController, string> = {
  memory: 'memory.limit_in_bytes',
  cpu: 'cpu.cfs_quota_us',
  pids: 'pids.max',
}

function openV1(mount: Mount, controller: CgroupController, own: string, name: string): Hierarchy {
  const base = join(folderOf(mount, own), 'tandem', name)
  make(base)
  if (!existsSync(join(base, v1Files[controller]))) throw new Error(`${base} has no ${v1Files[controller]}`)
  return { version: 1, controllers: [controller], base, tracks: controller === 'pids' }
}

/**
 * In v2 a group that holds processes cannot delegate controllers, except at the root. So the groups of the instances go
 * below the nearest group above the agent that holds no processes, or that already delegates controllers.
 */
function openUnified(mount: Mount, own: string, name: string): Hierarchy {
  let reason = ''
  for (let folder = folderOf(mount, own); folder.startsWith(mount.point); folder = dirname(folder)) {
    const tandem = join(folder, 'tandem')
    const base = join(tandem, name)
    try {
      const controllers = handOn(folder, offered(folder))
      make(tandem)
      handOn(tandem, controllers)
      make(base)
      handOn(base, controllers)
      if (controllers.length > 0) return { version: 2, controllers, base, tracks: true }
      reason ||= `${folder} offers none of the controllers memory, cpu and pids`
    } catch (error) {
      reason ||= explain(folder, error)
    }
    removeMade(base, tandem)
  }
  throw new Error(reason)
}

function offered(folder: string): CgroupController[] {
  return listed(join(folder, 'cgroup.controllers'))
}

/** The controllers that the groups below may use; delegates those that are not delegated yet. */
function handOn(folder: string, wanted: CgroupController[]): CgroupController[] {
  const file = join(folder, 'cgroup.subtree_control')
  const lacking = wanted.filter((controller) => !listed(file).includes(controller))
  if (lacking.length > 0) writeFileSync(file, lacking.map((controller) => `+${controller}`).join(' '))
  return wanted
}

function listed(file: string): CgroupController[] {
  const names = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
  return allControllers.filter((controller) => names.includes(controller))
}

function make(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new Error(explain(dirname(folder), error), { cause: error })
  }
}

function explain(folder: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code // the error type of fs
  if (code === 'EBUSY') return `${folder} holds processes (start the agent in its own delegated control group)`
  if (code === 'EACCES' || code === 'EPERM') {
    return 'the agent neither runs as root nor in a control group delegated to it'
  }
  if (code === 'EROFS') return `${folder} is read-only`
  return `${folder}: ${error instanceof Error ? error.message : String(error)}`
}

function removeMade(...folders: string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder)
    } catch {
      // The folder was never created, or holds groups of another agent.
    }
  }
}
