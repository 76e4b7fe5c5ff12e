import { machineDeadline } from './advanceMachines.ts'
import { fetchDeadline, prepareDeadline } from './advanceRollout.ts'
import { limits } from './limits.ts'
import { heardAt, type Observed } from './observed.ts'
import type { Rollout, State } from './state.ts'
import { stepDeadline } from './waits.ts'

/** When time next decides something; milliseconds by the controller's clock, infinite when nothing waits. */
export function nextDeadline(state: State, observed: Observed): number {
  const machines = Object.values(state.machines)
  return Math.max(
    earliestDecision(state, observed),
    Math.min(
      ...machines.filter(({ lost }) => !lost).map(({ name }) => heardAt(state, observed, name) + limits.silenceMs),
      ...machines.map((machine) => machineDeadline(state, machine)),
      ...Object.values(state.turns).map((turn) => stepDeadline(state, turn)),
      ...Object.values(state.rollouts).map((rollout) => rolloutDeadline(state, rollout)),
    ),
  )
}

/** Nothing is decided by time before each machine has reported, or a while after the start has passed. */
export function timeMayDecide(state: State, observed: Observed, at: number): boolean {
  return at >= earliestDecision(state, observed)
}

function earliestDecision(state: State, observed: Observed): number {
  const silent = Object.values(state.machines).some(
    ({ name, lost }) => !lost && (observed[name]?.at ?? 0) < state.clockSince,
  )
  return silent ? state.clockSince + limits.settleAfterStartMs : 0
}

function rolloutDeadline(state: State, rollout: Rollout): number {
  if (rollout.stage === 'fetching') return fetchDeadline(state, rollout)
  if (rollout.stage === 'preparing') return prepareDeadline(state, rollout)
  return Number.POSITIVE_INFINITY
}
