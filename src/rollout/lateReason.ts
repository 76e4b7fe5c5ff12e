import type { Report } from '../protocol/report.ts'
import { limits } from '../decision/limits.ts'
import type { Observed } from '../decision/observed.ts'
import { freshOf } from './serviceView.ts'
import { silentPeers } from '../fleet/silentPeers.ts'
import type { State, Turn } from './state.ts'

type Step = NonNullable<Turn['step']>

/**
 * Why a step was given up at its deadline, in words. Most problems in a report are standing problems of the machine and
 * explain nothing: a problem is a reason only if it names the part that the step waited for.
 */
export function lateReason(state: State, observed: Observed, turn: Turn, step: Step): string {
  const { machine } = turn
  const report = observed[machine]?.report
  switch (step.step) {
    case 'unforward':
      return `machine ${silentPeers(state, observed, machine, step).join(', ')} did not stop forwarding within ${seconds(limits.acknowledgeMs)}`
    case 'switch':
      return `the balancer of machine ${machine} did not apply the change within ${seconds(limits.acknowledgeMs)}${problemOf(report, 'balancer', 'disk')}`
    case 'stop':
      return `machine ${machine} could not stop ${step.stop.join(', ')}${problemOf(report, ...step.stop.map((id) => `stop ${id}`))}`
    case 'start':
      return notReady(state, turn, step, report)
    case 'drain':
      return 'took too long'
  }
}

function notReady(state: State, turn: Turn, step: Step, report: Report | undefined): string {
  if (report && report.applied.supervisor < step.position)
    return `machine ${turn.machine} did not begin to start the instance in time${problemOf(report, 'disk')}`
  const slow = freshOf(state, turn).find((instance) => instance.state !== 'ready')
  const waitsFor = report?.instances.find(({ id }) => id === slow?.id)?.reason
  return `instance ${slow?.id ?? '?'} was not ready in time${inBrackets(waitsFor)}`
}

/** A problem of one of these parts: an agent puts the part's name before the problem. */
function problemOf(report: Report | undefined, ...parts: string[]): string {
  return inBrackets(report?.problems.find((problem) => parts.some((part) => problem.startsWith(`${part}: `))))
}

const inBrackets = (why: string | null | undefined): string => (why ? ` (${why})` : '')

const seconds = (ms: number): string => `${ms / 1000} s`
