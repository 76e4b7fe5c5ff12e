import type { Definition } from '../definitions/definition.ts'
import { probeHostOf, withoutProbeHost } from '../definitions/probeHost.ts'
import { declaredRoutes, withoutExposure } from '../protocol/declaredRoutes.ts'
import type { DesiredInstance, MachineDesire } from '../protocol/desiredState.ts'
import { backTarget } from './backTarget.ts'
import { desiredRoutes } from './desiredRoutes.ts'
import { isRunning } from './maintenanceState.ts'
import { definitionOf, forwardTarget, instancesOn, runningRollout, serves } from './serviceView.ts'
import type { Instance, State } from './state.ts'

/** The instances and routes that one machine should have now, computed from the state alone. */
export function desiredState(state: State, machine: string): MachineDesire {
  const mine = Object.values(state.instances).filter((one) => one.machine === machine && one.state !== 'stopping')
  const prepare = preparesOn(state, machine)
  const fetch = fetchesOn(state, machine)
  const releases = new Set([
    ...Object.values(state.instances).map((one) => one.release),
    ...prepare.map((one) => one.release),
  ])
  const definitions = [...releases].map((release) => [release, definitionOf(state, release)] as const)
  return {
    machine,
    fetch,
    keep: keptReleases(state),
    definitions: Object.fromEntries(
      definitions.map(([release, one]) => [release, withoutProbeHost(withoutExposure(one))]),
    ),
    declaredRoutes: Object.fromEntries(
      definitions.flatMap(([release, one]) => {
        const declared = declaredRoutes(one)
        return declared === null ? [] : [[release, declared]]
      }),
    ),
    probeHosts: probeHosts(definitions),
    instances: mine.map(desiredInstance),
    ...desiredRoutes(state, machine),
    peers: Object.values(state.machines)
      .filter(({ name }) => name !== machine)
      .map(({ name, endpoints }) => ({ machine: name, host: endpoints.host, forwardPort: endpoints.forward })),
    prepare,
    removedData: removedDataOn(state, machine),
    addresses: desiredAddresses(state, machine),
    settings: settingsOf(state, machine),
    maintenance: maintenanceOn(state, machine),
    drained: ['draining', 'drained'].includes(state.machines[machine]?.traffic ?? ''),
  }
}

function probeHosts(definitions: readonly (readonly [string, Definition])[]): Record<string, string> {
  const hosts = definitions.flatMap(([release, one]) => {
    const host = probeHostOf(one)
    return host === null ? [] : [[release, host] as const]
  })
  return Object.fromEntries(hosts)
}

function settingsOf({ cluster }: State, machine: string): MachineDesire['settings'] {
  const named = cluster?.machines[machine]
  if (!cluster || !named) return null
  const { entry, addresses, advert } = cluster
  return { cluster: cluster.cluster, address: named.address, entry, drivers: named.drivers, addresses, advert }
}

function maintenanceOn({ maintenance }: State, machine: string): MachineDesire['maintenance'] {
  if (!isRunning(maintenance) || maintenance.at?.machine !== machine || maintenance.at.step !== 'work') return null
  const { id, attempt, script, restart } = maintenance
  return { id, attempt, script, restart }
}

function desiredAddresses(state: State, machine: string): MachineDesire['addresses'] {
  const all = state.cluster?.addresses ?? []
  const isLeaving = (state.machines[machine]?.traffic ?? 'ready') !== 'ready'
  const goesBack = (address: string): boolean => {
    const under = state.addresses[address]?.returning
    return under !== undefined && under !== null && under.to !== machine
  }
  return {
    yields: all.filter((address) => isLeaving || goesBack(address)),
    refused: all.filter((address) => state.addresses[address]?.refused.includes(machine)),
    othersServe: Object.values(state.instances).some((one) => one.machine !== machine && serves(state, one)),
  }
}

const desiredInstance = ({ id, service, release, slot, generation, traffic }: Instance): DesiredInstance => {
  return { id, service, release, slot, generation, traffic }
}

/** Data is removed only when no instance is left that could still write to it. */
function removedDataOn(state: State, machine: string): string[] {
  const services = Object.keys(state.removedData).filter((service) => state.removedData[service]?.includes(machine))
  return services.filter((service) => instancesOn(state, service, machine).length === 0)
}

function preparesOn(state: State, machine: string): MachineDesire['prepare'] {
  return Object.values(state.rollouts)
    .filter(({ stage, prepare }) => stage === 'preparing' && prepare?.machine === machine)
    .map(({ id, service, release }) => ({ rollout: id, service, release }))
}

/**
 * Every machine of a rollout fetches the release at once, before the first turn; each machine also has the release that
 * it is to run or to go back to.
 */
function fetchesOn(state: State, machine: string): string[] {
  const releases = Object.values(state.services).flatMap((service) => {
    const rollout = runningRollout(state, service.name)
    const forward = rollout && rollout.stage !== 'returning' && rollout.machines[machine]
    return [
      forward ? forwardTarget(state, rollout, machine)?.release : undefined,
      backTarget(state, service, machine)?.release,
    ]
  })
  return [...new Set(releases.filter((release) => release !== undefined))]
}

/**
 * Releases that are never collected: running ones, both ends of a rollout in progress, the current and the previous
 * completed release.
 */
export function keptReleases(state: State): string[] {
  const kept = new Set(Object.values(state.instances).map((one) => one.release))
  for (const service of Object.values(state.services)) {
    const rollout = runningRollout(state, service.name)
    const { current, completed } = service
    for (const release of [rollout?.release, rollout?.previous, current?.release]) if (release) kept.add(release)
    const previous = completed.findLast((release) => release !== current?.release)
    if (previous) kept.add(previous)
  }
  return [...kept].sort()
}
