import type { Event, EventData } from '../events/event.ts'
import type { Target } from '../events/rolloutEvents.ts'
import type { Moment } from '../decision/moment.ts'
import { backTarget } from './backTarget.ts'
import { conforms } from './conforms.ts'
import type { Observed } from '../decision/observed.ts'
import { featureReadiness } from './features.ts'
import { planStep } from './planStep.ts'
import { holdsNewTurns } from '../decision/moment.ts'
import type { Machine } from '../fleet/state.ts'
import { freshTurn, type Service, type State } from './state.ts'

/**
 * Outside a rollout: brings a machine that returned or joined to the release of its service, one machine at a time. A
 * machine that cannot catch up goes back alone to the release it ran, and is `behind` until it returns again or until
 * the next rollout.
 */
export function advanceCatchUp(state: State, service: Service, moment: Moment): Event[] {
  const { observed } = moment
  if (holdsNewTurns(moment) || !service.lastRollout) return []
  if (Object.values(state.turns).some((turn) => turn.service === service.name)) return []
  for (const machine of Object.values(state.machines)) {
    if (machine.lost || service.leftAlone.includes(machine.name)) continue
    const target = backTarget(state, service, machine.name)
    if (conforms(state, service, machine.name, target)) continue
    const direction = service.behind.includes(machine.name) ? 'back' : 'catchUp'
    const turn = {
      rollout: service.lastRollout,
      service: service.name,
      machine: machine.name,
      direction,
      target,
    } as const
    if (!isPrepared(state, machine, target, observed) || !canBegin(state, turn)) continue
    return [{ type: 'TurnStarted', data: turn }]
  }
  return []
}

/**
 * The machine has done the last step requested of it, and has the release and the files. Otherwise a deadline could pass although
 * nothing has failed.
 */
function isPrepared(state: State, { name, asked }: Machine, target: Target | null, observed: Observed): boolean {
  const report = observed[name]?.report
  if (!report || report.applied.balancer < asked || report.applied.supervisor < asked) return false
  if (target === null) return true
  return (
    report.fetched.includes(target.release) &&
    featureReadiness(state, observed, { machine: name, ...target }) === 'ready'
  )
}

/** A turn that would interrupt the service waits until other machines serve it. */
function canBegin(state: State, turn: EventData['TurnStarted']): boolean {
  const plan = planStep(state, freshTurn(turn))
  return plan.type !== 'failed' || plan.instance !== undefined
}
