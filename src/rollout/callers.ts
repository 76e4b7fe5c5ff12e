import { isServiceCall } from '../definitions/calls.ts'
import type { Definition } from '../definitions/definition.ts'
import { callsOf } from '../definitions/features.ts'
import { remembered } from '../lib/remembered.ts'
import type { State } from './state.ts'

/** The callers of a service by name; `needs`: in some release, the service is not optional. */
type Callers = ReadonlyMap<string, { needs: boolean }>

/**
 * The definition of every release that has an instance, is current or is being rolled: an old release keeps its rights
 * until its last instance is gone, and a new one has them before its first.
 */
const liveDefinitions = remembered((state: State): readonly Definition[] => {
  const releases = new Set([
    ...Object.values(state.instances).map(({ release }) => release),
    ...Object.values(state.services).flatMap(({ current }) => current?.release ?? []),
    ...Object.values(state.rollouts).flatMap(({ stage, release }) => (stage === 'finished' ? [] : [release])),
  ])
  return [...releases].flatMap((one) => state.releases[one]?.definition ?? [])
})

/** Who calls each service. */
export const callersIn = remembered((state: State): ReadonlyMap<string, Callers> => {
  const callers = new Map<string, Map<string, { needs: boolean }>>()
  for (const definition of liveDefinitions(state)) {
    for (const { service, optional } of callsOf(definition).filter(isServiceCall)) {
      const known = callers.get(service) ?? new Map<string, { needs: boolean }>()
      callers.set(service, known)
      known.set(definition.service, { needs: known.get(definition.service)?.needs === true || optional !== true })
    }
  }
  return callers
})

export const isCalled = (state: State, service: string): boolean => callersIn(state).has(service)

/** The callers of a service, sorted; `needs`: only those that cannot do without it. */
export function callersOf(state: State, service: string, { needs = false } = {}): string[] {
  const all = [...(callersIn(state).get(service) ?? [])]
  return all.flatMap(([name, caller]) => (needs && !caller.needs ? [] : [name])).sort()
}

/** The services that call one of these addresses outside the cluster, sorted. */
export function callersOutside(state: State, addresses: readonly string[]): string[] {
  const all = liveDefinitions(state).filter((definition) =>
    callsOf(definition).some((call) => !isServiceCall(call) && addresses.includes(call.address)),
  )
  return [...new Set(all.map(({ service }) => service))].sort()
}
