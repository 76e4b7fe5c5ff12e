import { readFileSync, readlinkSync } from 'node:fs'
import { procProcessTable } from '../drivers/supervisor/process/procProcessTable.ts'
import { sleep, systemClock } from '../lib/clock.ts'

const lookMs = 20
const withinMs = 10_000

/**
 * Kills processes that a stopped unit has left (`KillMode=process`). A unit of the same name in a container is not
 * touched.
 */
export async function endLeftovers(unit: string): Promise<void> {
  const deadline = performance.now() + withinMs
  for (let pids = await leftBy(unit); pids.length > 0; pids = await leftBy(unit)) {
    if (performance.now() > deadline)
      throw new Error(`could not kill the processes that ${unit} has left: ${pids.join(', ')}`)
    pids.forEach(killNow)
    await sleep(systemClock, lookMs)
  }
}

async function leftBy(unit: string): Promise<number[]> {
  const all = await procProcessTable.list()
  return all.filter(({ zombie, pid }) => !zombie && isOf(pid, unit)).map(({ pid }) => pid)
}

function isOf(pid: number, unit: string): boolean {
  try {
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
    // The process has ended. If not, the next look finds it.
  }
}
