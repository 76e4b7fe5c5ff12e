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
  if (laterBoot(state, observed, report) !== null) return null
  return { ...observed, [report.machine]: { report, at, clock: state.clockPosition } }
}

/**
 * The start of the machine's agent of which a later report, or this one, is known; `null`: this report is the newest.
 * It can be the start that the report names: an agent whose disk is full and whose clock is behind begins twice with
 * the same number.
 */
export function laterBoot(state: State, observed: Observed, { machine, boot, seq }: Report): number | null {
  const known = [observed[machine]?.report, state.machines[machine]?.mark]
  const later = known.flatMap((mark) =>
    mark && (mark.boot > boot || (mark.boot === boot && mark.seq >= seq)) ? [mark.boot] : [],
  )
  return later.length === 0 ? null : Math.max(...later)
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
