import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'
import { MachineCgroup } from './machineCgroup.ts'
import { namespacePrefix } from './network.ts'

/** Folder of the labs, below the lab's folder: each lab has one folder, with a lock that its run holds. */
export const labsFolder = (folder: string): string => join(folder, 'labs')
export const lockFile = (lab: string): string => join(lab, 'lock')
export const machinesFolder = (lab: string): string => join(lab, 'machines')
/** Also used for the names of the machines' cgroups and overlays. */
export const machineName = (run: string, name: string): string => `tl-${run}-${name}`

/** Describes everything that exists of a lab: processes, mounts, namespaces, folders. */
export async function remains(lab: string): Promise<string[]> {
  const run = basename(lab)
  const spaces = await namespacesOf(run)
  const groups = machinesOf(lab).filter((name) => new MachineCgroup(machineName(run, name)).pids().length > 0)
  return [...spaces, ...mountsBelow(lab), ...groups.map((name) => `processes of ${name}`)]
}

/** Stops and removes everything of one lab, in any state. */
export async function removeLab(lab: string): Promise<void> {
  const run = basename(lab)
  for (const name of machinesOf(lab)) await new MachineCgroup(machineName(run, name)).remove()
  for (const mount of mountsBelow(lab)) await execOrThrow(['umount', mount])
  for (const namespace of await namespacesOf(run)) await execOrThrow(['ip', 'netns', 'del', namespace])
  rmSync(lab, { recursive: true, force: true })
}

/** Removes the labs whose run has ended: no process holds their lock. Returns their names. */
export async function removeAbandonedLabs(folder: string): Promise<string[]> {
  const removed: string[] = []
  for (const name of names(labsFolder(folder))) {
    const lab = join(labsFolder(folder), name)
    const lock = await exclusive(lockFile(lab), 0)
    if (!lock) continue
    try {
      await removeLab(lab)
      removed.push(name)
    } finally {
      await lock.release()
    }
  }
  return removed
}

/** Each machine has a folder in that of its lab, which is created before anything else of the machine. */
const machinesOf = (lab: string): string[] => names(machinesFolder(lab))

async function namespacesOf(run: string): Promise<string[]> {
  const { out } = await exec(['ip', 'netns', 'list'])
  return out
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(namespacePrefix(run)))
}

function mountsBelow(lab: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const points = lines.map((line) => line.split(' ')[1] ?? '')
  return points.filter((point) => point.startsWith(`${lab}/`)).toReversed()
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
