import { maintenanceDeadline } from './advanceMaintenance.ts'
import { machineDeadline } from './advanceMachines.ts'
import { fetchDeadline, prepareDeadline } from './advanceRollout.ts'
import { limits } from './limits.ts'
import { hasReported, heardAt, type Observed } from './observed.ts'
import { forwardTarget, machineBusy } from './serviceView.ts'
import type { Rollout, State, Turn } from './state.ts'
import { goesOnWhenLate, stepDeadline, waitFor } from './waits.ts'

/**
 * The next time at which something is decided, in milliseconds by the controller's clock; infinite when nothing waits.
 */
export function nextDeadline(state: State, observed: Observed): number {
  const machines = Object.values(state.machines)
  return Math.max(
    earliestDecision(state, observed),
    Math.min(
      ...machines.filter(({ lost }) => !lost).map(({ name }) => heardAt(state, observed, name) + limits.silenceMs),
      ...machines.map((machine) => machineDeadline(state, machine)),
      maintenanceDeadline(state),
      ...Object.values(state.turns).map((turn) => turnDeadline(state, observed, turn)),
      ...Object.values(state.rollouts).map((rollout) => rolloutDeadline(state, rollout)),
    ),
  )
}

/** Nothing is decided by time until each machine has reported, or until some time after the start has passed. */
export function timeMayDecide(state: State, observed: Observed, at: number): boolean {
  return at >= earliestDecision(state, observed)
}

function earliestDecision(state: State, observed: Observed): number {
  const silent = Object.values(state.machines).some(({ name, lost }) => !lost && !hasReported(state, observed, name))
  return silent ? state.clockSince + limits.settleAfterStartMs : Number.NEGATIVE_INFINITY
}

/**
 * Infinite where time decides nothing: the step has already ended, or a machine operation holds the step that follows.
 */
function turnDeadline(state: State, observed: Observed, turn: Turn): number {
  if (waitFor(state, observed, turn, null).type === 'over') return Number.POSITIVE_INFINITY
  const held = machineBusy(state) && (turn.step?.step === 'drain' || goesOnWhenLate(turn))
  return held ? Number.POSITIVE_INFINITY : stepDeadline(state, observed, turn)
}

function rolloutDeadline(state: State, rollout: Rollout): number {
  if (rollout.stage === 'fetching' && isFetching(state, rollout)) return fetchDeadline(state, rollout)
  if (rollout.stage === 'preparing') return prepareDeadline(state, rollout)
  return Number.POSITIVE_INFINITY
}

const isFetching = (state: State, rollout: Rollout): boolean =>
  rollout.order.some((machine) => {
    const part = rollout.machines[machine]
    return part?.state === 'waiting' && !part.fetched && forwardTarget(state, rollout, machine) !== null
  })
