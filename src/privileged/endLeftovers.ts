import { readFileSync, statSync } from 'node:fs'
import { procProcessTable } from '../drivers/supervisor/process/procProcessTable.ts'
import { pause } from '../lib/backoff.ts'
import { exec } from '../lib/exec.ts'

const lookMs = 20
const withinMs = 10_000

/** Kills what runs as this user, but for what somebody of that name has logged in for. There may be no such user. */
export async function endProcessesOf(user: string): Promise<void> {
  const { code, out } = await exec(['id', '-u', user])
  if (code !== 0) return
  const uid = Number(out)
  const { signal } = new AbortController()
  const deadline = performance.now() + withinMs
  for (let pids = await processesOf(uid); pids.length > 0; pids = await processesOf(uid)) {
    if (performance.now() > deadline) throw new Error(`processes of ${user} do not end: ${pids.join(', ')}`)
    pids.forEach(killNow)
    await pause(lookMs, signal)
  }
}

async function processesOf(uid: number): Promise<number[]> {
  const all = await procProcessTable.list()
  return all.filter(({ zombie, pid }) => !zombie && ownerOf(pid) === uid && !hasLoggedIn(pid)).map(({ pid }) => pid)
}

const ownerOf = (pid: number): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid

function hasLoggedIn(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes('/user.slice/')
  } catch {
    return false // it has ended, and is not there at the next look
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended; if not, it is there at the next look.
  }
}
