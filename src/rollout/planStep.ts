import type { Event, EventData } from '../events/event.ts'
import type { Step } from '../events/rolloutEvents.ts'
import { mayLeave } from './mayLeave.ts'
import { instancesOn, isBroken } from '../fleet/serving.ts'
import { awaited, freshOf, oldOf, strategyOf } from './serviceView.ts'
import type { Instance } from '../fleet/state.ts'
import type { State, Turn } from './state.ts'

type StepPlan = Omit<EventData['StepStarted'], 'service' | 'machine'>
type Plan = { type: 'step'; step: StepPlan } | { type: 'done' } | { type: 'failed'; reason: string; instance?: string }

/**
 * The next step of a turn, computed from what the machine runs now and what it should run: there is no list of steps to
 * lose. Overlap: start all new instances beside the old ones, switch, drain, stop. Replace: take one old instance at a
 * time, retire it, drain it, stop it, then start its successor and give it the traffic.
 */
export function planStep(state: State, turn: Turn, late = false): Plan {
  if (turn.gaveUp) return { type: 'failed', reason: oldWouldNotStart, instance: turn.gaveUp }
  const sides = { fresh: freshOf(state, turn), old: oldOf(state, turn) }
  // Going back, an instance that was not ready in time counts as failed.
  const awaitedStill = late ? [] : awaited(sides.fresh, sides.old)
  const failed = sides.fresh.find(isBroken) ?? (late ? awaited(sides.fresh, sides.old)[0] : undefined)
  if (failed) {
    const plan = planFailed(turn, sides, failed)
    if (plan) return plan
  }
  return strategyOf(state, turn) === 'overlap'
    ? planOverlap(state, turn, { ...sides, awaited: awaitedStill })
    : planReplace(state, turn, { ...sides, awaited: awaitedStill })
}

/**
 * A new instance failed. Going forward, that ends the turn. Going back, the serving instances stay and the failed ones
 * are stopped; where nothing serves, the failing old instance is still the best available, and going back continues
 * (`null`).
 */
function planFailed(turn: Turn, { fresh, old }: Omit<Sides, 'awaited'>, failed: Instance): Plan | null {
  const reason = `instance ${failed.id} ${failed.reason ?? 'failed'}`
  if (turn.direction !== 'back') return { type: 'failed', reason, instance: failed.id }
  if (!old.some((instance) => instance.state === 'ready' && instance.traffic === 'active')) return null
  const useless = fresh.filter((instance) => instance.traffic === 'idle')
  return useless.length > 0
    ? finishOld(turn, useless)
    : { type: 'failed', reason: oldWouldNotStart, instance: failed.id }
}

const oldWouldNotStart = 'the old release did not start again; the serving instances stay'

interface Sides {
  fresh: Instance[]
  old: Instance[]
  /** Fresh instances that must be ready before any other step. */
  awaited: Instance[]
}

function planOverlap(state: State, turn: Turn, { fresh, old, awaited }: Sides): Plan {
  const missing = missingSlots(turn, fresh)
  if (missing.length > 0) return startStep(state, turn, missing)
  if (awaited.length > 0) return step('start', {})

  const activate = fresh.filter((instance) => instance.traffic === 'idle')
  const retire = old.filter((instance) => instance.traffic === 'active')
  if (activate.length > 0 || retire.length > 0) {
    // Without new instances the old ones are the machine's last: they leave only when other machines serve.
    return fresh.length === 0 ? leave(state, turn, retire) : step('switch', { activate, retire })
  }
  return finishOld(turn, old)
}

function planReplace(state: State, turn: Turn, { fresh, old, awaited }: Sides): Plan {
  const wanted = turn.target?.instances ?? 0
  if (awaited.length > 0) return step('start', {})
  const activate = fresh.filter((instance) => instance.traffic === 'idle')
  if (activate.length > 0) return step('switch', { activate })
  const retired = old.filter((instance) => instance.traffic === 'idle')
  if (retired.length > 0) return finishOld(turn, retired)

  // The strategy forbids two instances on one machine, so a new one starts only after the stopping one is gone.
  const ending = instancesOn(state, turn.service, turn.machine).filter((instance) => instance.state === 'stopping')
  if (ending.length > 0) return step('stop', { stop: ending })
  const missing = missingSlots(turn, fresh)
  const room = wanted - fresh.length - old.length
  if (missing.length > 0 && room > 0) return startStep(state, turn, missing.slice(0, room))

  const [next] = old.toSorted((a, b) => Number(a.state === 'ready') - Number(b.state === 'ready'))
  if (!next) return { type: 'done' }
  return leave(state, turn, wanted === 0 ? old : [next])
}

/** Takes instances out of traffic before any replacement serves. */
function leave(state: State, turn: Turn, retire: Instance[]): Plan {
  if (!mayLeave(state, turn, retire)) {
    return {
      type: 'failed',
      reason: `too few other instances of ${turn.service} are ready to take the requests meanwhile`,
    }
  }
  const ids = retire.map((instance) => instance.id)
  const lastHere = !instancesOn(state, turn.service, turn.machine).some(
    (instance) => !ids.includes(instance.id) && instance.traffic === 'active' && instance.state === 'ready',
  )
  if (lastHere && !turn.unforwarded && Object.keys(state.machines).length > 1) return step('unforward', {})
  return step('switch', { retire })
}

/** Drains retired instances once, then stops them. */
function finishOld(turn: Turn, old: Instance[]): Plan {
  if (old.length === 0) return { type: 'done' }
  const undrained = old.filter((instance) => !turn.drained.includes(instance.id))
  if (undrained.length > 0) return step('drain', { retire: old })
  return step('stop', { stop: old })
}

function missingSlots(turn: Turn, fresh: Instance[]): number[] {
  const taken = new Set(fresh.map((instance) => instance.slot))
  return Array.from({ length: turn.target?.instances ?? 0 }, (_, index) => index + 1).filter((slot) => !taken.has(slot))
}

function startStep(state: State, turn: Turn, slots: number[]): Plan {
  const { target } = turn
  if (!target) return { type: 'done' }
  const named = state.rollouts[turn.rollout]?.machines[turn.machine]?.named ?? 0
  const start = slots.map((slot, index) => ({
    id: `${turn.service}-${turn.rollout}-${turn.machine}-${named + index + 1}`,
    slot,
    release: target.release,
    generation: target.generation,
  }))
  return { type: 'step', step: { step: 'start', start, activate: [], retire: [], stop: [] } }
}

function step(
  name: Step,
  { activate = [], retire = [], stop = [] }: { activate?: Instance[]; retire?: Instance[]; stop?: Instance[] },
): Plan {
  const ids = (instances: Instance[]): string[] => instances.map((instance) => instance.id)
  const plan: StepPlan = { step: name, start: [], activate: ids(activate), retire: ids(retire), stop: ids(stop) }
  return { type: 'step', step: plan }
}

export const stepStarted = ({ service, machine }: Turn, plan: StepPlan): Event => ({
  type: 'StepStarted',
  data: { service, machine, ...plan },
})
