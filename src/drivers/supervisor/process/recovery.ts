import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { endForcibly, endGently, type Ending } from './ending.ts'
import type { InstanceRecord } from './instanceRecord.ts'
import { findMembers } from './members.ts'
import type { ProcessHouse } from './processHouse.ts'

/**
 * Stops the processes that a killed agent left, found through its records and its control groups. Each instance gets
 * its own stop signal and a short grace. Returns the ids of the instances that still ran.
 */
export async function recoverInstances(house: ProcessHouse): Promise<string[]> {
  const { records, cgroups, runFolder } = house
  const left = cgroups.leftovers()
  const known = new Map(records.all().map((record) => [record.id, record]))
  for (const [id, groups] of left) {
    const record = known.get(id)
    if (record === undefined) known.set(id, unrecorded(id, groups))
    else known.set(id, { ...record, cgroups: [...new Set([...record.cgroups, ...groups])] })
  }
  const ended = await Promise.all([...known.values()].map((record) => endRecorded(house, record)))
  const all = dirname(runFolder)
  for (const name of readdirSync(all).filter((one) => one !== basename(runFolder)))
    rmSync(join(all, name), { recursive: true, force: true, maxRetries: 3 })
  return ended.filter((id) => id !== null)
}

async function endRecorded(house: ProcessHouse, record: InstanceRecord): Promise<string | null> {
  const { table, clock, limits, cgroups, records } = house
  const currentBoot = await table.bootId()
  // Once the leader was seen alive, the group certainly belongs to the instance, even after the leader has ended.
  let held = false
  const find: Ending['find'] = () =>
    findMembers(table, { ...record, inCgroups: () => cgroups.members(record.cgroups), held })
  // No process outlives a reboot; a record that could not be read names no boot.
  const members = record.bootId === '' || record.bootId === currentBoot ? await find() : []
  if (members.length > 0) {
    held = members.some(({ pid, started }) => pid === record.pid && started === record.started)
    const ending: Ending = {
      table,
      clock,
      group: () => (held ? record.pid : null),
      find,
      killCgroups: () => cgroups.kill(record.cgroups),
    }
    const withinMs = Math.min(record.stop.withinMs, limits.recoverMs)
    if (!(await endGently(ending, record, { signal: record.stop.signal, withinMs })))
      await endForcibly(ending, limits.killMs)
  }
  await cgroups.remove(record.cgroups)
  records.remove(record.id)
  return members.length > 0 ? record.id : null
}

/** The agent died between creating the groups and writing the record: the groups contain a gate at most. */
function unrecorded(id: string, groups: string[]): InstanceRecord {
  const stop = { signal: 'SIGTERM' as const, withinMs: 0 }
  return { id, service: '', pid: 0, started: '0', bootId: '', markers: [], cgroups: groups, stop }
}
