import type { Report } from '../protocol/report.ts'
import type { ReportMark } from '../events/fleetEvents.ts'
import type { Base } from './base.ts'
import { limits } from './limits.ts'

type Machines = Readonly<Record<string, { name: string; lost: boolean; mark: ReportMark | null }>>
type State = Base & { machines: Machines }

/**
 * The newest report of each machine since this controller started: the data that did not become events (work in flight,
 * positions applied), and the time of arrival (`at`, by the clock that began at position `clock`). It is lost with the
 * process, and comes back with each machine's next report.
 */
export type Observed = Readonly<Record<string, { report: Report; at: number; clock: number }>>

/** Takes in a report; `null` when it is older than, or the same as, a known report. */
export function observe(state: State, observed: Observed, report: Report, at: number): Observed | null {
  const known = [observed[report.machine]?.report, state.machines[report.machine]?.mark]
  for (const mark of known) {
    if (mark && (report.boot < mark.boot || (report.boot === mark.boot && report.seq <= mark.seq))) return null
  }
  return { ...observed, [report.machine]: { report, at, clock: state.clockPosition } }
}

/** The later start that the machine has reported already; `null`: this report is of its newest start. */
export function laterBoot(state: State, observed: Observed, { machine, boot }: Report): number | null {
  const known = Math.max(observed[machine]?.report.boot ?? 0, state.machines[machine]?.mark?.boot ?? 0)
  return known > boot ? known : null
}

/** When a machine last reported; counted from the last start or clock jump if it has not reported since. */
export const heardAt = (state: Base, observed: Observed, machine: string): number =>
  hasReported(state, observed, machine) ? (observed[machine]?.at ?? state.clockSince) : state.clockSince

/** Whether the machine has reported since the last start, clock jump or stall. */
export const hasReported = (state: Base, observed: Observed, machine: string): boolean =>
  observed[machine]?.clock === state.clockPosition

/** Nothing is decided by time until each machine has reported, or until some time after the start has passed. */
export function earliestDecision(state: State, observed: Observed): number {
  const silent = Object.values(state.machines).some(({ name, lost }) => !lost && !hasReported(state, observed, name))
  return silent ? state.clockSince + limits.settleAfterStartMs : Number.NEGATIVE_INFINITY
}
