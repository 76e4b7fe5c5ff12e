import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../lib/clock.ts'
import { procProcessTable } from '../process/procProcessTable.ts'
import { stillRuns, type ProcessInfo } from '../process/processTable.ts'
import { pidsOf } from './controlGroup.ts'
import type { Systemctl } from './systemctl.ts'
import type { UnitRecord } from './unitFiles.ts'
import { sliceName } from './unitName.ts'

const [firstLookMs, lastLookMs] = [2, 20]
/** ExecStop= takes some time of `stop.within` even if it finds nothing: where that is shorter, systemd does it all. */
const leastWithinMs = 5_000

/**
 * Stops a unit. Two kinds of units get the stop signal from here, on the same clock, and systemd is asked only then:
 *   alone     a single process, as most are. systemd builds the jail of ExecStop= before that sends the signal, which takes
 *             longer than the stop. When the process has ended, ExecStop= finds nothing, and nobody waits for it.
 *   starting  one that has not told systemd yet that it is ready (Type=notify) has no ExecStop= then: systemd would send
 *             SIGTERM to all of it.
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

/** Resolves when the main process has ended or must be killed now. The timer `killing` kills what that leaves. */
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
    hadOthers ||= pids.some((pid) => pid !== main.pid) // before it has ended, none is of ExecStop=
    await pause(Math.min(waitMs, leftMs()))
  }
  // One that is gone meanwhile needs no signal.
  const end = (): void => void kill(record.unit, 'all', 'SIGKILL').catch(() => {})
  return { hadOthers: hadOthers || leftMs() === 0, killing: setTimeout(end, leftMs()) }
}

function signalProcess(pid: number, signal: string): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended meanwhile
  }
}
