import { isMachineBusy, type Moment } from '../decision/moment.ts'
import { fetchDeadline, prepareDeadline } from './advanceRollout.ts'
import type { Rollout, State, Turn } from './state.ts'
import { goesOnWhenLate, stepDeadline, waitFor } from './waits.ts'

export function rolloutDeadlines(state: State, moment: Moment): number {
  return Math.min(
    ...Object.values(state.turns).map((turn) => turnDeadline(state, turn, moment)),
    ...Object.values(state.rollouts).map((rollout) => rolloutDeadline(state, rollout, moment)),
  )
}

/**
 * Infinite where time decides nothing: the step has already ended, or a machine operation holds the step that follows.
 */
function turnDeadline(state: State, turn: Turn, moment: Moment): number {
  const { observed } = moment
  if (waitFor(state, observed, turn, null).type === 'over') return Number.POSITIVE_INFINITY
  const held = isMachineBusy(moment) && (turn.step?.step === 'drain' || goesOnWhenLate(turn))
  return held ? Number.POSITIVE_INFINITY : stepDeadline(state, observed, turn)
}

function rolloutDeadline(state: State, rollout: Rollout, { observed }: Moment): number {
  if (rollout.stage === 'fetching') return fetchDeadline(state, rollout, observed)
  if (rollout.stage === 'preparing') return prepareDeadline(state, rollout)
  return Number.POSITIVE_INFINITY
}
