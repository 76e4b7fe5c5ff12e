import type { Report } from '../protocol/report.ts'
import type { State } from './state.ts'

/**
 * The newest report of each machine since this controller started: what machines say beyond what became events (work
 * in flight, positions applied). It is lost with the process, and comes again with each machine's next report.
 */
export type Observed = Readonly<Record<string, { report: Report; at: number }>>

/** Takes a report in; `null` when it is older than, or the same as, one already known. */
export function observe(state: State, observed: Observed, report: Report, at: number): Observed | null {
  const known = [observed[report.machine]?.report, state.machines[report.machine]?.mark]
  for (const mark of known) {
    if (mark && (report.boot < mark.boot || (report.boot === mark.boot && report.seq <= mark.seq))) return null
  }
  return { ...observed, [report.machine]: { report, at } }
}

/** The last time anything was heard of a machine, counting afresh after a start or clock jump. */
export function heardAt(state: State, observed: Observed, machine: string): number {
  return Math.max(observed[machine]?.at ?? 0, state.clockSince)
}
