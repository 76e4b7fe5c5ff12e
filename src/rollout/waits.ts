import { countsFrom } from '../decision/base.ts'
import { lateReason } from './lateReason.ts'
import { limits } from '../decision/limits.ts'
import { heardAt, type Observed } from '../decision/observed.ts'
import { definitionOf } from '../fleet/serving.ts'
import { awaited, freshOf, oldOf } from './serviceView.ts'
import { silentPeers } from '../fleet/silentPeers.ts'
import type { State, Turn } from './state.ts'

export type Wait = { type: 'waiting' } | { type: 'over' } | { type: 'late'; reason: string }

const waiting: Wait = { type: 'waiting' }
const over: Wait = { type: 'over' }

/**
 * Whether the turn's step has ended. A wait ends with a report at or after the position of the request, or at its
 * deadline. `now` is `null` while nothing may be decided by time yet.
 */
export function waitFor(state: State, observed: Observed, turn: Turn, now: number | null): Wait {
  const { step } = turn
  if (!step) return over
  const seen = isOver(state, observed, turn)
  if (seen.type !== 'waiting' || now === null || now < stepDeadline(state, observed, turn)) return seen
  // A drain that takes too long has ended too: long connections live until then, and no longer.
  return step.step === 'drain' ? over : { type: 'late', reason: lateReason(state, observed, turn, step) }
}

function isOver(state: State, observed: Observed, turn: Turn): Wait {
  const { step, machine } = turn
  if (!step) return over
  const applied = observed[machine]?.report.applied
  switch (step.step) {
    case 'start':
      return awaited(freshOf(state, turn), oldOf(state, turn)).length > 0 ? waiting : over
    case 'unforward':
      return silentPeers(state, observed, machine, step).length === 0 ? over : waiting
    case 'switch': {
      if (!applied || applied.balancer < step.position) return waiting
      // Going back, the routes of the release that failed are still there.
      if (turn.direction === 'back') return over
      const unserved = observed[machine]?.report.unserved.find(({ service }) => service === turn.service)
      return unserved ? { type: 'late', reason: `machine ${machine} ${unserved.reason}` } : over
    }
    case 'drain': {
      // The balancer that acknowledged the switch counts the work left from then on.
      if (!applied || applied.balancer < (turn.switched ?? step.position)) return waiting
      const work = observed[machine]?.report.instances ?? []
      return work.some((instance) => step.retire.includes(instance.id) && instance.work > 0) ? waiting : over
    }
    case 'stop':
      return step.stop.some((id) => id in state.instances) ? waiting : over
  }
}

/** The deadline of the step, in milliseconds by the controller's clock. */
export function stepDeadline(state: State, observed: Observed, turn: Turn): number {
  const { step } = turn
  if (!step) return Number.POSITIVE_INFINITY
  const since = countsFrom(state, step)
  switch (step.step) {
    case 'start':
      return since + longest(state, freshOf(state, turn), (definition) => definition.health.withinMs) + limits.graceMs
    case 'drain':
      return since + longest(state, named(state, step.retire), (definition) => definition.rollout.drainMs)
    case 'stop':
      return since + longest(state, named(state, step.stop), (definition) => definition.stop.withinMs) + limits.graceMs
    case 'unforward':
      return since + limits.acknowledgeMs
    case 'switch': {
      // A machine that has fallen silent is first found lost, and passed over: this is not a failure of the release.
      const heard = heardAt(state, observed, turn.machine)
      const late = since + limits.acknowledgeMs
      return heard < late - limits.quietMs ? Math.max(late, heard + limits.silenceMs) : late
    }
  }
}

/**
 * Going back, peers that do not acknowledge are passed over, and planStep.ts decides about instances that do not start.
 */
export const goesOnWhenLate = ({ direction, step }: Turn): boolean =>
  direction === 'back' && (step?.step === 'unforward' || step?.step === 'start')

const named = (state: State, ids: string[]): { release: string }[] =>
  ids.flatMap((id) => (state.instances[id] ? [state.instances[id]] : []))

function longest(
  state: State,
  instances: { release: string }[],
  time: (definition: ReturnType<typeof definitionOf>) => number,
): number {
  return Math.max(0, ...instances.map((instance) => time(definitionOf(state, instance.release))))
}
