import type { Report } from '../protocol/report.ts'
import type { State } from './state.ts'

/**
 * The newest report of each machine since this controller started: what machines say beyond what became events (work
 * in flight, positions applied), and when it came (`at`, by the clock that began at position `clock`). It is lost with
 * the process, and comes again with each machine's next report.
 */
export type Observed = Readonly<Record<string, { report: Report; at: number; clock: number }>>

/** Takes a report in; `null` when it is older than, or the same as, one already known. */
export function observe(state: State, observed: Observed, report: Report, at: number): Observed | null {
  const known = [observed[report.machine]?.report, state.machines[report.machine]?.mark]
  for (const mark of known) {
    if (mark && (report.boot < mark.boot || (report.boot === mark.boot && report.seq <= mark.seq))) return null
  }
  return { ...observed, [report.machine]: { report, at, clock: state.clockPosition } }
}

/** The last time anything was heard of a machine, counting afresh after a start or clock jump. */
export const heardAt = (state: State, observed: Observed, machine: string): number =>
  hasReported(state, observed, machine) ? (observed[machine]?.at ?? state.clockSince) : state.clockSince

/** Has it reported since the last start, clock jump or stall? */
export const hasReported = (state: State, observed: Observed, machine: string): boolean =>
  observed[machine]?.clock === state.clockPosition
