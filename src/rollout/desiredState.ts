import type { DesiredInstance, DesiredRoute, MachineDesire } from '../protocol/desiredState.ts'
import { backTarget } from './backTarget.ts'
import { limits } from './limits.ts'
import { isRunning } from './maintenanceState.ts'
import { sameRoute } from './routes.ts'
import { definitionOf, forwardTarget, instancesOn, runningRollout, serves, strategyOf } from './serviceView.ts'
import { turnKey, type Generation, type Instance, type State } from './state.ts'

/** What one machine should be running and routing now, from the state alone. */
export function desiredState(state: State, machine: string): MachineDesire {
  const mine = Object.values(state.instances).filter((one) => one.machine === machine && one.state !== 'stopping')
  const prepare = preparesOn(state, machine)
  const fetch = fetchesOn(state, machine)
  const releases = new Set([
    ...Object.values(state.instances).map((one) => one.release),
    ...prepare.map((one) => one.release),
  ])
  return {
    machine,
    fetch,
    keep: keptReleases(state),
    definitions: Object.fromEntries([...releases].map((release) => [release, definitionOf(state, release)])),
    instances: mine.map(desiredInstance),
    routes: desiredRoutes(state, machine),
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

/** Only once nothing that could still write there is left. */
function removedDataOn(state: State, machine: string): string[] {
  const services = Object.keys(state.removedData).filter((service) => state.removedData[service]?.includes(machine))
  return services.filter((service) => instancesOn(state, service, machine).length === 0)
}

function preparesOn(state: State, machine: string): MachineDesire['prepare'] {
  return Object.values(state.rollouts)
    .filter(({ stage, prepare }) => stage === 'preparing' && prepare?.machine === machine)
    .map(({ id, service, release }) => ({ rollout: id, service, release }))
}

/** Every machine of a rollout fetches at once, before the first turn; and each has what it is to run, or to go back to. */
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

/** Never collected: what runs, both ends of a rollout in progress, the current and the previous completed release. */
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

/**
 * The union of the routes of all generations that still have an instance anywhere, each leading to its own releases. A
 * stopped service keeps its hosts and paths, or its requests would fall to another service with a shorter path; its
 * ports are closed.
 */
function desiredRoutes(state: State, machine: string): DesiredRoute[] {
  const routes: DesiredRoute[] = []
  for (const service of new Set(Object.values(state.generations).map((generation) => generation.service))) {
    const instances = Object.values(state.instances).filter((one) => one.service === service)
    const generations = Object.entries(state.generations).filter(
      ([id, generation]) => generation.service === service && instances.some((one) => one.generation === id),
    )
    for (const [id, generation] of [...generations, ...stoppedGeneration(state, service)]) {
      const definition = definitionOf(state, generation.release)
      const releases = instances.some((one) => one.generation === id) ? [generation.release] : []
      for (const match of generation.routes) {
        const known = routes.find((route) => route.service === service && sameRoute(route.match, match))
        const forwardTo = forwardsTo(state, service, id, machine)
        if (known) {
          known.releases = [...new Set([...known.releases, ...releases])]
          known.forwardTo = [...new Set([...known.forwardTo, ...forwardTo])]
        } else {
          routes.push({
            service,
            match,
            releases,
            forwardTo,
            holdMs: holds(state, service) ? limits.holdMs : null,
            idleMs: definition.idleMs,
            bodyBytes: definition.limits.bodyBytes,
          })
        }
      }
    }
  }
  return routes
}

function stoppedGeneration(state: State, name: string): [string, Generation][] {
  const { current = null, stopped = false } = state.services[name] ?? {}
  const generation = current && stopped ? state.generations[current.generation] : undefined
  if (!current || !generation) return []
  return [[current.generation, { ...generation, routes: generation.routes.filter(({ kind }) => kind === 'http') }]]
}

/** Machines whose balancers serve it: in traffic, with an instance of that generation ready and in traffic. */
function forwardsTo(state: State, service: string, generation: string, from: string): string[] {
  const able = Object.values(state.instances).filter(
    (one) =>
      one.service === service &&
      one.generation === generation &&
      one.machine !== from &&
      one.traffic === 'active' &&
      one.state !== 'stopping' &&
      one.state !== 'starting' &&
      state.machines[one.machine]?.traffic === 'ready' &&
      !(state.turns[turnKey(service, one.machine)]?.unforwarded ?? false),
  )
  return [...new Set(able.map((one) => one.machine))].sort()
}

/** Under `replace` there may be no instance for a while on purpose: requests are then held. */
const holds = (state: State, service: string): boolean =>
  Object.values(state.turns).some((turn) => turn.service === service && strategyOf(state, turn) === 'replace')
