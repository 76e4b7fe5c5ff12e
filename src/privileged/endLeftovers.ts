import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { procProcessTable } from '../drivers/supervisor/process/procProcessTable.ts'
import { pause } from '../lib/backoff.ts'
import { exec } from '../lib/exec.ts'

const lookMs = 20
const withinMs = 10_000

/**
 * Kills what a unit that was stopped has left (`KillMode=process`), and no other process of its user, who may have logged in,
 * or have the number of somebody in a container. There may be no such user.
 */
export async function endLeftovers(unit: string, user: string): Promise<void> {
  const { code, out } = await exec(['id', '-u', user])
  if (code !== 0) return
  const uid = Number(out)
  const { signal } = new AbortController()
  const deadline = performance.now() + withinMs
  for (let pids = await leftBy(unit, uid); pids.length > 0; pids = await leftBy(unit, uid)) {
    if (performance.now() > deadline) throw new Error(`what ${unit} has left does not end: ${pids.join(', ')}`)
    pids.forEach(killNow)
    await pause(lookMs, signal)
  }
}

async function leftBy(unit: string, uid: number): Promise<number[]> {
  const all = await procProcessTable.list()
  return all.filter(({ zombie, pid }) => !zombie && isOf(pid, unit, uid)).map(({ pid }) => pid)
}

function isOf(pid: number, unit: string, uid: number): boolean {
  try {
    if (statSync(`/proc/${pid}`).uid !== uid) return false
    const isInContainer = readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync('/proc/self/ns/pid')
    return !isInContainer && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${unit}`)
  } catch {
    return false // it has ended
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended; if not, it is there at the next look.
  }
}
