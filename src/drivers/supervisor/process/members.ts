import type { ProcessInfo, ProcessTable } from './processTable.ts'

/** The properties that identify the processes of an instance. */
export interface Membership {
  pid: number
  started: string
  bootId: string
  markers: string[]
  /** Processes that are now in the cgroups of the instance, according to the kernel. */
  inCgroups: () => Set<number>
  /**
   * This agent started the instance and has not seen its group empty: the kernel does not reuse the number meanwhile,
   * so every process in that group belongs to the instance. After a restart only a living leader proves the same.
   */
  held: boolean
}

/**
 * Finds every living process of an instance: its group and session, its cgroups, processes that carry its markers in
 * their environment, and the children of all these. Never includes a number that another process has got meanwhile.
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

/** A child may be listed before its parent, so the loop repeats until it adds no process. */
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
