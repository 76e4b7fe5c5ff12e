import type { Event, Target } from '../events/event.ts'
import type { Moment } from './advance.ts'
import { currentTarget, definitionOf, instancesOn, isReachable, machineBusy } from './serviceView.ts'
import type { Instance, Service, State } from './state.ts'

/**
 * Outside a rollout: brings a machine that returned or joined to where its service is, one machine at a time. One that
 * cannot catch up goes back alone to what it ran, and is `behind` until it returns again or the next rollout.
 */
export function advanceCatchUp(state: State, service: Service, { observed }: Moment): Event[] {
  if (machineBusy(state) || !service.lastRollout) return []
  if (Object.values(state.turns).some((turn) => turn.service === service.name)) return []
  for (const machine of Object.keys(state.machines)) {
    if (!isReachable(state, machine) || !observed[machine] || service.leftAlone.includes(machine)) continue
    const behind = service.behind.includes(machine)
    const target = behind ? behindTarget(state, service, machine) : currentTarget(state, service, machine)
    if (conforms(state, service, machine, target)) continue
    const direction = behind ? 'back' : 'catchUp'
    const data = { rollout: service.lastRollout, service: service.name, machine, direction, target } as const
    return [{ type: 'TurnStarted', data }]
  }
  return []
}

function conforms(state: State, service: Service, machine: string, target: Target | null): boolean {
  const mine = instancesOn(state, service.name, machine).filter((instance) => instance.state !== 'stopping')
  const right = (instance: Instance): boolean =>
    instance.generation === target?.generation && instance.slot <= target.instances && instance.traffic === 'active'
  return mine.every(right) && mine.length === (target?.instances ?? 0)
}

/** What a machine that could not catch up ran before: the other generation with most instances in traffic. */
function behindTarget(state: State, service: Service, machine: string): Target | null {
  const others = instancesOn(state, service.name, machine).filter(
    (instance) => instance.state !== 'stopping' && instance.generation !== service.current?.generation,
  )
  const weight = (generation: string): number =>
    others.filter((instance) => instance.generation === generation && instance.traffic === 'active').length
  const [best] = others.toSorted((a, b) => weight(b.generation) - weight(a.generation))
  if (!best) return null
  const { release, generation } = best
  return {
    release,
    generation,
    instances: Math.max(...others.filter((one) => one.generation === generation).map((one) => one.slot)),
    strategy: definitionOf(state, release).rollout.strategy,
  }
}
