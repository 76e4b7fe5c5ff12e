import type { Definition } from '../definitions/definition.ts'
import { remembered } from '../lib/remembered.ts'
import { turnKey, type FleetState, type FleetWorld, type Instance } from './state.ts'

/** Questions that several decisions ask about instances and their machines. */

/** Every event asks about every service: that must not read all instances of the others. */
const byService = remembered((instances: FleetState['instances']) =>
  Map.groupBy(Object.values(instances), ({ service }) => service),
)

export const instancesOf = ({ instances }: FleetState, service: string): readonly Instance[] =>
  byService(instances).get(service) ?? []

/** Those of each service on each machine, by slot. */
const byPlace = remembered((instances: FleetState['instances']) => {
  const sorted = Object.values(instances).sort((a, b) => a.slot - b.slot)
  return Map.groupBy(sorted, ({ service, machine }) => placeOf(service, machine))
})

/** Names of services and machines have no spaces. */
const placeOf = (service: string, machine: string): string => `${service} ${machine}`

export const instancesOn = ({ instances }: FleetState, service: string, machine: string): readonly Instance[] =>
  byPlace(instances).get(placeOf(service, machine)) ?? []

/** The instance failed on its own; an instance that its machine interrupted is only restarting. */
export const isBroken = ({ state, interrupted }: Instance): boolean => state === 'failed' && !interrupted

/** The instance may still become ready. */
export const isPending = ({ state, interrupted }: Instance): boolean => state === 'starting' || interrupted

export const isReachable = (state: FleetState, machine: string): boolean => state.machines[machine]?.lost === false

/**
 * The instance takes requests of its own machine: it is ready and in traffic, and its machine is reachable and in
 * traffic.
 */
export function takesRequests(state: FleetState, instance: Instance): boolean {
  const machine = state.machines[instance.machine]
  return (
    instance.state === 'ready' &&
    instance.traffic === 'active' &&
    machine?.lost === false &&
    machine.traffic === 'ready'
  )
}

/** Other machines can rely on the instance: it takes requests, and they may forward to it. */
export const serves = (state: FleetWorld, instance: Instance): boolean =>
  takesRequests(state, instance) && !(state.turns[turnKey(instance.service, instance.machine)]?.unforwarded ?? false)

/** Whether some instance of the service would still serve without these. */
export const servesWithout = (state: FleetWorld, service: string, without: string[]): boolean =>
  instancesOf(state, service).some((instance) => !without.includes(instance.id) && serves(state, instance))

export function definitionOf(state: FleetState, release: string): Definition {
  const known = state.releases[release]
  if (!known) throw new Error(`release ${release} is used but unknown: a bug`)
  return known.definition
}

/** The services that only these machines serve now. */
export function lastServedBy(state: FleetWorld, machines: readonly string[]): string[] {
  const carrying = Object.values(state.instances).filter(
    (one) => one.state === 'ready' && one.traffic === 'active' && definitionOf(state, one.release).listen !== 'none',
  )
  const elsewhere = carrying.filter((one) => !machines.includes(one.machine) && serves(state, one))
  const here = carrying.filter((one) => machines.includes(one.machine))
  const alone = here.filter((one) => !elsewhere.some((other) => other.service === one.service))
  return [...new Set(alone.map(({ service }) => service))].sort()
}

/** The first service without requests that only this machine runs; `null`: there is none. */
export function lastWorkerOn(state: FleetState, machine: string): string | null {
  const ready = Object.values(state.instances).filter((one) => one.state === 'ready')
  const isElsewhere = (service: string): boolean =>
    ready.some((one) => one.service === service && one.machine !== machine && isReachable(state, one.machine))
  const last = ready.find(
    (one) => one.machine === machine && definitionOf(state, one.release).listen === 'none' && !isElsewhere(one.service),
  )
  return last?.service ?? null
}

/** The release of a service that was published last. */
export const newestRelease = ({ releases }: Pick<FleetWorld, 'releases'>, service: string) =>
  Object.values(releases).findLast((release) => release.service === service)
