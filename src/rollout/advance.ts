import type { Event } from '../events/event.ts'
import { advanceAddresses } from './advanceAddresses.ts'
import { advanceCatchUp } from './advanceCatchUp.ts'
import { advanceMachines } from './advanceMachines.ts'
import { advanceMaintenance } from './advanceMaintenance.ts'
import { advanceRollout } from './advanceRollout.ts'
import { advanceTurn } from './advanceTurn.ts'
import { evolve } from './evolve.ts'
import { limits } from './limits.ts'
import type { Observed } from './observed.ts'
import type { State } from './state.ts'

export interface Moment {
  observed: Observed
  /** Time by the controller's clock in milliseconds, stamped on the events. */
  at: number
  /** The same time, or `null` while nothing may be decided by time yet. */
  now: number | null
}

/** Folds events in as if they had been appended at `at`. */
export function applyAll(state: State, events: Event[], at: number): State {
  let position = state.position
  return events.reduce((folded, event) => {
    return evolve(folded, { ...event, position: ++position, at: new Date(at).toISOString() })
  }, state)
}

/** All events that follow now from the state and the reports. Decides again until nothing more follows. */
export function advance(before: State, moment: Moment): Event[] {
  const all: Event[] = []
  let state = before
  for (let round = 0; round < limits.advanceRounds; round++) {
    const events = next(state, moment)
    if (events.length === 0) return all
    state = applyAll(state, events, moment.at)
    all.push(...events)
  }
  throw new Error(`decisions did not settle; last: ${JSON.stringify(all.slice(-6))}`)
}

function next(state: State, moment: Moment): Event[] {
  const machines = advanceMachines(state, moment)
  if (machines.length > 0) return machines
  const maintenance = advanceMaintenance(state, moment)
  if (maintenance.length > 0) return maintenance
  const addresses = advanceAddresses(state, moment)
  if (addresses.length > 0) return addresses
  for (const turn of Object.values(state.turns)) {
    const events = advanceTurn(state, turn, moment)
    if (events.length > 0) return events
  }
  for (const service of Object.values(state.services)) {
    const rollout = service.rollout ? state.rollouts[service.rollout] : undefined
    const events = rollout ? advanceRollout(state, rollout, moment) : advanceCatchUp(state, service, moment)
    if (events.length > 0) return events
  }
  return []
}
