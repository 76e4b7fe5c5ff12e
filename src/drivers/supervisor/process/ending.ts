import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import { stillRuns, type ProcessInfo, type ProcessTable } from './processTable.ts'

/** The processes that must end. They are listed again on each pass, because they may start more processes meanwhile. */
export interface Ending {
  table: ProcessTable
  clock: Clock
  /** The process group, or `null` if its number may by now belong to another group. */
  group: () => number | null
  find: () => Promise<ProcessInfo[]>
  /** Kills all processes in the cgroups in one step where the kernel can. */
  killCgroups: () => void
}

const firstLookMs = 2
const lastLookMs = 100

/**
 * Sends the stop signal to the main process alone, if it still runs; when it has ended, SIGTERM to the processes that
 * are left. One clock for both: returns false if processes remain `withinMs` after the first signal.
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

/** Sends SIGTERM once to each process, also to processes that start meanwhile. */
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

/** Kills until no process is left. Throws if a process cannot be killed within `killMs`. */
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
 * The kernel sends no notification when a grandchild ends, so this polls the few known processes, at growing intervals.
 * Each wait is short and the deadline is compared with the clock, so that a grace of any length is kept.
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

/**
 * One signal for the whole group also reaches processes that the group starts at that moment. Processes that left the
 * group get their own signal.
 */
async function sendToAll(ending: Ending, members: ProcessInfo[], signal: NodeJS.Signals): Promise<void> {
  const group = ending.group()
  if (group !== null && members.some((member) => member.group === group)) send(-group, signal)
  for (const member of members) if (member.group !== group) await sendTo(ending.table, member, signal)
}

/**
 * Checks the process again right before the signal: its number may belong to another process since the list was made.
 */
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
    // The process has ended meanwhile, or it belongs to another user (a setuid program). The wait that follows shows
    // which.
    const code = (error as NodeJS.ErrnoException).code // the error type of process.kill
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

function unkillable(members: ProcessInfo[], killMs: number): Error {
  const pids = members.map(({ pid }) => pid).join(', ')
  return new Error(
    `processes ${pids} still exist ${killMs} ms after SIGKILL: they wait in the kernel or belong to another user; inspect them: ps -o pid,user,stat,wchan,args -p ${pids.replaceAll(' ', '')}`,
  )
}
