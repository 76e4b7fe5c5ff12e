import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Limits } from '../../../definitions/definition.ts'
import { findHierarchies, type CgroupController, type Hierarchy } from './hierarchy.ts'
import { limitFiles } from './limitFiles.ts'

/** Control groups of the kernel: they limit an instance and identify its processes. */
export interface Cgroups {
  readonly abilities: { memory: boolean; cpu: boolean; tasks: boolean; why: string | null }
  /**
   * Creates the groups of one instance with its limits set. Returns their folders; empty where control groups are not
   * available.
   */
  create(id: string, limits: Limits): string[]
  /** Moves a process into the groups; processes that it starts later begin there. */
  join(groups: string[], pid: number): void
  members(groups: string[]): Set<number>
  /** Kills all members in one step where the kernel can (v2); otherwise does nothing. */
  kill(groups: string[]): void
  /** How many processes the kernel has killed at the memory limit. */
  oomKills(groups: string[]): number
  /** Groups that instances of an earlier agent left behind: folders by id. */
  leftovers(): Map<string, string[]>
  remove(groups: string[]): Promise<void>
  /** Removes the folder that holds the groups of the instances, if it is empty. */
  close(): void
}

/** The kernel may refuse to remove a group until some moments after its last process is gone. */
const removeTries = 100
const removePauseMs = 10

/**
 * Creates groups below the group of the agent, so that the limits of the agent also apply to its instances. `name` must
 * belong to this agent alone: two agents on one machine must not see each other's groups.
 */
export function findCgroups(name: string): Cgroups {
  if (process.platform !== 'linux') return createCgroups([], 'only Linux has control groups')
  const { hierarchies, why } = findHierarchies(name)
  return createCgroups(hierarchies, why)
}

export function createCgroups(hierarchies: Hierarchy[], why: string | null): Cgroups {
  const able = (controller: CgroupController): boolean =>
    hierarchies.some(({ controllers }) => controllers.includes(controller))
  return {
    abilities: { memory: able('memory'), cpu: able('cpu'), tasks: able('pids'), why },
    create: (id, limits) => {
      const made: string[] = []
      try {
        for (const hierarchy of hierarchies) createGroup(hierarchy, id, limits, made)
      } catch (error) {
        for (const group of made) removeEmpty(group)
        throw error
      }
      return made
    },
    join: (groups, pid) => {
      for (const group of groups) writeFileSync(join(group, 'cgroup.procs'), String(pid))
    },
    members: (groups) => new Set(groups.flatMap(processesOf)),
    kill: (groups) => {
      for (const group of groups) {
        const file = join(group, 'cgroup.kill')
        if (existsSync(file)) writeFileSync(file, '1')
      }
    },
    oomKills: (groups) => groups.reduce((sum, group) => sum + oomKillsOf(group), 0),
    leftovers: () => {
      const found = new Map<string, string[]>()
      for (const { base } of hierarchies) {
        for (const id of foldersOf(base)) found.set(id, [...(found.get(id) ?? []), join(base, id)])
      }
      return found
    },
    remove: async (groups) => {
      for (const group of groups) await removeGroup(group)
    },
    close: () => {
      for (const { base } of hierarchies) {
        removeEmpty(base)
        removeEmpty(join(base, '..'))
      }
    },
  }
}

function createGroup(hierarchy: Hierarchy, id: string, limits: Limits, made: string[]): void {
  const files = limitFiles(hierarchy, limits)
  if (!hierarchy.tracks && files.length === 0) return
  const group = join(hierarchy.base, id)
  try {
    mkdirSync(group, { recursive: true })
    made.push(group)
    for (const { file, value, optional } of files) {
      if (optional && !existsSync(join(group, file))) continue
      writeFileSync(join(group, file), value)
    }
  } catch (error) {
    throw new Error(`the limits of ${id} cannot be set in ${group}`, { cause: error })
  }
}

/** Instances may create groups inside their own. */
function processesOf(group: string): number[] {
  const own = readIf(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
  return [...own, ...foldersOf(group).flatMap((child) => processesOf(join(group, child)))]
}

function oomKillsOf(group: string): number {
  const text = readIf(join(group, 'memory.events')) + readIf(join(group, 'memory.oom_control'))
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
}

async function removeGroup(group: string): Promise<void> {
  for (const child of foldersOf(group)) await removeGroup(join(group, child))
  for (let tries = 1; ; tries++) {
    try {
      rmdirSync(group)
      return
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code // the error type of fs
      if (code === 'ENOENT') return
      if (code !== 'EBUSY' || tries === removeTries) {
        throw new Error(`the control group ${group} cannot be removed`, { cause: error })
      }
      await pause(removePauseMs)
    }
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Groups of another agent are in the folder, or the folder is gone: both are correct.
  }
}

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    return [] // gone meanwhile
  }
}

function readIf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // gone meanwhile, or not a file of this version
  }
}
