import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../lib/clock.ts'
import { procProcessTable } from '../process/procProcessTable.ts'
import { stillRuns, type ProcessInfo } from '../process/processTable.ts'
import { pidsOf } from './controlGroup.ts'
import type { Systemctl } from '../../../systemd/systemctl.ts'
import type { UnitRecord } from './unitFiles.ts'
import { sliceName } from './unitName.ts'

const [firstLookMs, lastLookMs] = [2, 20]
/**
 * ExecStop= takes some of the time of `stop.within` even if it finds nothing. If `stop.within` is shorter than this,
 * systemd does the whole stop.
 */
const leastWithinMs = 5_000

/**
 * Stops a unit. Two kinds of units get the stop signal from this function, on the same clock, and only then the stop
 * request to systemd follows:
 *   alone     A unit with a single process, as most have. systemd sets up the jail of ExecStop= before ExecStop= sends
 *             the signal, which takes longer than the stop itself. When the process has ended, ExecStop= finds nothing
 *             to do, and this function does not wait for it.
 *   starting  A unit that has not yet notified systemd of its readiness (Type=notify). systemd does not run ExecStop=
 *             in this state: it would send SIGTERM to all processes of the unit.
 */
export async function stopUnit(
  systemctl: Pick<Systemctl, 'show' | 'kill' | 'stop' | 'beginStop'>,
  record: UnitRecord | null,
  unit: string,
  timeoutMs: number,
): Promise<void> {
  const main = record && ((await aloneIn(record)) ?? (await startingOf(systemctl, record)))
  if (!main) return systemctl.stop(unit, timeoutMs)
  const { hadOthers, killing } = await signalMain(systemctl, record, main)
  try {
    if (hadOthers) await systemctl.stop(unit, timeoutMs)
    else await systemctl.beginStop(unit)
  } finally {
    clearTimeout(killing)
  }
}

/** Whether no process of a unit is left. */
export const isEmpty = (record: UnitRecord): boolean => pidsOf(groupOf(record)).length === 0

const groupOf = ({ service, unit }: UnitRecord): string => `/tandem.slice/${sliceName(service)}/${unit}`

async function aloneIn(record: UnitRecord): Promise<ProcessInfo | null> {
  const [pid, ...others] = pidsOf(groupOf(record))
  const mayBe = !record.once && record.withinMs >= leastWithinMs
  return mayBe && pid !== undefined && others.length === 0 ? procProcessTable.look(pid) : null
}

async function startingOf({ show }: Pick<Systemctl, 'show'>, record: UnitRecord): Promise<ProcessInfo | null> {
  if (!record.notifies) return null
  const state = (await show([record.unit])).get(record.unit)
  return state?.sub === 'start' ? procProcessTable.look(state.mainPid) : null
}

/** Resolves when the main process has ended or must be killed now. The timer `killing` kills the processes left. */
async function signalMain(
  { kill }: Pick<Systemctl, 'kill'>,
  record: UnitRecord,
  main: ProcessInfo,
): Promise<{ hadOthers: boolean; killing: NodeJS.Timeout }> {
  const deadline = systemClock.monotonic() + record.withinMs
  const leftMs = (): number => Math.max(0, deadline - systemClock.monotonic())
  let hadOthers = false
  signalProcess(main.pid, record.signal)
  for (let waitMs = firstLookMs; leftMs() > 0; waitMs = Math.min(waitMs * 1.5, lastLookMs)) {
    const pids = pidsOf(groupOf(record))
    if (!(await stillRuns(procProcessTable, main))) break
    hadOthers ||= pids.some((pid) => pid !== main.pid) // ExecStop= has no process yet
    await pause(Math.min(waitMs, leftMs()))
  }
  // The unit may be gone meanwhile; it then needs no signal.
  const end = (): void => void kill(record.unit, 'all', 'SIGKILL').catch(() => {})
  return { hadOthers: hadOthers || leftMs() === 0, killing: setTimeout(end, leftMs()) }
}

function signalProcess(pid: number, signal: string): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // the process has ended meanwhile
  }
}
