import type { Target } from '../events/rolloutEvents.ts'
import { definitionOf, instancesOn } from '../fleet/serving.ts'
import { currentTarget } from './serviceView.ts'
import type { Service, State } from './state.ts'

/**
 * The target that a machine goes back to or catches up with: the current generation, or, where the machine is `behind`,
 * the generation that it ran before.
 */
export const backTarget = (state: State, service: Service, machine: string): Target | null =>
  service.behind.includes(machine) ? behindTarget(state, service, machine) : currentTarget(state, service, machine)

/**
 * The generation that a machine ran before it failed to catch up: the other generation with the most instances in
 * traffic.
 */
function behindTarget(state: State, service: Service, machine: string): Target | null {
  const others = instancesOn(state, service.name, machine).filter(
    (instance) =>
      instance.state !== 'stopping' &&
      instance.generation !== service.current?.generation &&
      instance.generation !== service.rollout,
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
