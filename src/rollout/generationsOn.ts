import { instancesOn } from '../fleet/serving.ts'
import { remembered } from '../lib/remembered.ts'
import { backTarget } from './backTarget.ts'
import { forwardTarget, runningRollout } from './serviceView.ts'
import type { Generation, Service, State } from './state.ts'

export type NamedGeneration = Generation & { id: string }
type PinName = keyof NonNullable<Generation['pins']>

/** The generations on a machine of all services that have this pin. */
export const pinnedOn = (state: State, machine: string, pin: PinName): NamedGeneration[] =>
  (servicesByPin(state.generations).get(pin) ?? []).flatMap((service) =>
    generationsOn(state, machine, service).filter(({ pins }) => pins?.[pin] !== undefined),
  )

/** Sorted. */
const servicesByPin = remembered((generations: State['generations']) => {
  const names: PinName[] = ['secrets', 'config']
  return new Map(
    names.map((pin) => {
      const pinned = Object.values(generations).filter(({ pins }) => pins?.[pin] !== undefined)
      return [pin, [...new Set(pinned.map(({ service }) => service))].sort()] as const
    }),
  )
})

/** The generations of a service that run on a machine, are about to, or would when it is started; sorted by id. */
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
    ...(service ? [backTarget(state, service, machine)?.generation, currentGeneration(state, service, machine)] : []),
  ]
  return [...new Set(ids.filter((id) => id !== undefined))].sort().flatMap((id) => {
    const generation = state.generations[id]
    return generation ? [{ id, ...generation }] : []
  })
}

/** Also of a service that is stopped, and on a machine that runs nothing: starting it again must need nothing new. */
function currentGeneration(state: State, { current }: Service, machine: string): string | undefined {
  const machines = current ? state.releases[current.release]?.definition.machines : undefined
  return machines === null || machines?.includes(machine) ? current?.generation : undefined
}
