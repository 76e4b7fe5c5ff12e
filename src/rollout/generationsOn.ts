import { instancesOn } from '../fleet/serving.ts'
import { backTarget } from './backTarget.ts'
import { forwardTarget, runningRollout } from './serviceView.ts'
import type { Generation, State } from './state.ts'

export type NamedGeneration = Generation & { id: string }

/** The generations of a service that run on a machine, or are about to; sorted by id. */
export function generationsOn(state: State, machine: string, name: string): NamedGeneration[] {
  const service = state.services[name]
  const rollout = runningRollout(state, name)
  const part = rollout?.machines[machine]
  const ids = [
    ...instancesOn(state, name, machine).flatMap(({ state: is, generation }) =>
      is === 'stopping' ? [] : [generation],
    ),
    ...(rollout && part ? [forwardTarget(state, rollout, machine)?.generation] : []),
    ...(rollout?.prepare?.machine === machine ? [rollout.id] : []),
    ...(service ? [backTarget(state, service, machine)?.generation] : []),
  ]
  return [...new Set(ids.filter((id) => id !== undefined))].sort().flatMap((id) => {
    const generation = state.generations[id]
    return generation ? [{ id, ...generation }] : []
  })
}
