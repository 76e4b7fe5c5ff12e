import type { ProcessInfo, ProcessTable } from './processTable.ts'

/** What an instance's processes are known by. */
export interface Membership {
  pid: number
  started: string
  bootId: string
  markers: string[]
  /** Processes that the kernel holds in the instance's cgroups now. */
  inCgroups: () => Set<number>
  /**
   * This agent started it and has not seen its group empty: the kernel does not give its number to anyone else, so
   * whoever is in that group is of the instance. After a restart only a living leader proves the same.
   */
  held: boolean
}

/**
 * Every living process of an instance: its group and session, its cgroups, whatever carries its markers in its
 * environment, and the children of all these. A number that was given to another process meanwhile is never in it.
 */
export async function findMembers(table: ProcessTable, of: Membership): Promise<ProcessInfo[]> {
  const living = (await table.list()).filter((info) => !info.zombie && info.pid !== process.pid)
  const trusted = of.held || (await leaderLives(table, living, of))
  const cgroup = of.inCgroups()
  const members = new Map<number, ProcessInfo>()
  for (const info of living) {
    const grouped = trusted && of.pid > 0 && (info.group === of.pid || info.session === of.pid)
    if (grouped || cgroup.has(info.pid) || (await carries(table, info, of))) members.set(info.pid, info)
  }
  addChildren(living, members)
  return [...members.values()]
}

async function leaderLives(table: ProcessTable, living: ProcessInfo[], of: Membership): Promise<boolean> {
  if (of.bootId !== (await table.bootId())) return false
  return living.some(({ pid, started }) => pid === of.pid && started === of.started)
}

async function carries(table: ProcessTable, info: ProcessInfo, of: Membership): Promise<boolean> {
  if (of.markers.length === 0 || !table.startedSince(info.started, of.started)) return false
  const environment = await table.environment(info.pid)
  return environment !== null && of.markers.every((marker) => environment.includes(marker))
}

/** A child may be listed before its parent, so this goes on until nothing is added. */
function addChildren(living: ProcessInfo[], members: Map<number, ProcessInfo>): void {
  for (let added = true; added;) {
    added = false
    for (const info of living) {
      if (members.has(info.pid) || !members.has(info.parent)) continue
      members.set(info.pid, info)
      added = true
    }
  }
}
