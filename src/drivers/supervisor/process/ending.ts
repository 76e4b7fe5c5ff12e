import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import { stillRuns, type ProcessInfo, type ProcessTable } from './processTable.ts'

/** Everything that is to end: found afresh each time, because it may start more while we look. */
export interface Ending {
  table: ProcessTable
  clock: Clock
  /** Its process group, or `null` when the number is not known to be still its own. */
  group: () => number | null
  find: () => Promise<ProcessInfo[]>
  /** Kills all in its cgroups in one step where the kernel can. */
  killCgroups: () => void
}

const firstLookMs = 2
const lastLookMs = 100

/**
 * Sends the stop signal to the main process alone, where it still runs; when that has ended, SIGTERM to what is left. One
 * clock: false when some stay `withinMs` after the first signal.
 */
export async function endGently(
  ending: Ending,
  main: Pick<ProcessInfo, 'pid' | 'started'>,
  { signal, withinMs }: { signal: NodeJS.Signals; withinMs: number },
): Promise<boolean> {
  const deadline = ending.clock.monotonic() + withinMs
  await sendTo(ending.table, main, signal)
  if (!(await knownGone(ending, [main], deadline))) return false
  return endRest(ending, deadline)
}

/** Also to what it starts meanwhile; once to each. */
async function endRest(ending: Ending, deadline: number): Promise<boolean> {
  const told = new Set<string>()
  for (;;) {
    const members = await ending.find()
    if (members.length === 0) return true
    for (const member of members) {
      const name = `${member.pid}/${member.started}`
      if (!told.has(name)) await sendTo(ending.table, member, 'SIGTERM')
      told.add(name)
    }
    const now = ending.clock.monotonic()
    if (now >= deadline) return false
    await knownGone(ending, members, Math.min(deadline, now + lastLookMs))
  }
}

/** Kills until nothing is left. Throws when something cannot be killed within `killMs`. */
export async function endForcibly(ending: Ending, killMs: number): Promise<void> {
  const deadline = ending.clock.monotonic() + killMs
  for (;;) {
    const members = await ending.find()
    if (members.length === 0) return
    if (ending.clock.monotonic() >= deadline) throw unkillable(members, killMs)
    ending.killCgroups()
    await sendToAll(ending, members, 'SIGKILL')
    await knownGone(ending, members, Math.min(deadline, ending.clock.monotonic() + lastLookMs))
  }
}

/**
 * The kernel tells nobody when a grandchild ends, so this looks at the few known processes, ever less often. Each wait
 * is short and the deadline is compared with the clock: a grace of any length holds.
 */
async function knownGone(
  ending: Ending,
  members: Pick<ProcessInfo, 'pid' | 'started'>[],
  deadline: number,
): Promise<boolean> {
  let left = members
  for (let waitMs = firstLookMs; ; waitMs = Math.min(waitMs * 1.5, lastLookMs)) {
    const alive = await Promise.all(left.map((member) => stillRuns(ending.table, member)))
    left = left.filter((_, index) => alive[index])
    if (left.length === 0) return true
    const leftMs = deadline - ending.clock.monotonic()
    if (leftMs <= 0) return false
    await pause(Math.min(waitMs, leftMs))
  }
}

/** One signal for the whole group reaches also what it starts in this moment; those who left it get their own. */
async function sendToAll(ending: Ending, members: ProcessInfo[], signal: NodeJS.Signals): Promise<void> {
  const group = ending.group()
  if (group !== null && members.some((member) => member.group === group)) send(-group, signal)
  for (const member of members) if (member.group !== group) await sendTo(ending.table, member, signal)
}

/** Looked at once more right before: the number may have passed to somebody else since the list was made. */
async function sendTo(
  table: ProcessTable,
  member: Pick<ProcessInfo, 'pid' | 'started'>,
  signal: NodeJS.Signals,
): Promise<void> {
  if (await stillRuns(table, member)) send(member.pid, signal)
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // Ended meanwhile, or another user's (a setuid program): the wait that follows tells which.
    const code = (error as NodeJS.ErrnoException).code // what process.kill throws
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

function unkillable(members: ProcessInfo[], killMs: number): Error {
  const pids = members.map(({ pid }) => pid).join(', ')
  return new Error(
    `processes ${pids} are still there ${killMs} ms after SIGKILL: they wait in the kernel or belong to another user; look with: ps -o pid,user,stat,wchan,args -p ${pids.replaceAll(' ', '')}`,
  )
}
