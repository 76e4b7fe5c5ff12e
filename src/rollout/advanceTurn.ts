import type { Event } from '../events/event.ts'
import type { Moment } from '../decision/moment.ts'
import { planStep, stepStarted } from './planStep.ts'
import { isMachineBusy } from '../decision/moment.ts'
import { isBroken, isReachable } from '../fleet/serving.ts'
import { freshOf } from './serviceView.ts'
import type { State, Turn } from './state.ts'
import { goesOnWhenLate, waitFor } from './waits.ts'

/** The turn's next event: its step may have ended, its machine may be lost, or its next step may be due. */
export function advanceTurn(state: State, turn: Turn, moment: Moment): Event[] {
  const { observed, now } = moment
  if (!isReachable(state, turn.machine)) return [finished(turn, 'lost', `machine ${turn.machine} is lost`)]

  const broken = turn.direction === 'back' ? undefined : freshOf(state, turn).find(isBroken)
  if (broken) return [finished(turn, 'failed', `instance ${broken.id} ${broken.reason ?? 'failed'}`, broken.id)]

  const wait = waitFor(state, observed, turn, now)
  switch (wait.type) {
    case 'waiting':
      return []
    case 'late':
      if (!goesOnWhenLate(turn)) return [finished(turn, 'failed', wait.reason)]
      break
    case 'over':
      break
  }
  if (isMachineBusy(moment)) return []
  const plan = planStep(state, turn, wait.type === 'late' && turn.step?.step === 'start')
  switch (plan.type) {
    case 'step':
      return [stepStarted(turn, plan.step)]
    case 'done':
      return [finished(turn, 'done', null)]
    case 'failed':
      return [finished(turn, 'failed', plan.reason, plan.instance ?? null)]
  }
}

function finished(
  { rollout, service, machine, direction }: Turn,
  outcome: 'done' | 'failed' | 'lost',
  reason: string | null,
  instance: string | null = null,
): Event {
  return { type: 'TurnFinished', data: { rollout, service, machine, direction, outcome, reason, instance } }
}
