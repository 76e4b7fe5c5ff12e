import type { Target } from '../events/rolloutEvents.ts'
import { instancesOn } from '../fleet/serving.ts'
import type { Instance } from '../fleet/state.ts'
import type { Service, State } from './state.ts'

/**
 * Whether the machine runs exactly the instances of the service that `target` names, all of them in traffic. Instances
 * that are being stopped count as gone.
 */
export function conforms(state: State, service: Service, machine: string, target: Target | null): boolean {
  const mine = instancesOn(state, service.name, machine).filter((instance) => instance.state !== 'stopping')
  const right = (instance: Instance): boolean =>
    instance.generation === target?.generation && instance.slot <= target.instances && instance.traffic === 'active'
  return mine.every(right) && mine.length === (target?.instances ?? 0)
}
