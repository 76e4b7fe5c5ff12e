import type { Definition } from '../definitions/definition.ts'
import type { Pins, ResolvedRoute, RolloutKind } from '../events/rolloutEvents.ts'
import type { Decision, Refusal } from '../decision/refuse.ts'
import type { StartRollout } from './commands.ts'
import { asSent } from './describedReleases.ts'
import { featurePins, refuseForFeatures } from './features.ts'
import { knownServices, noSuchService } from '../decision/knownServices.ts'
import { assignLoopbacks, laptopAddress } from './loopback.ts'
import type { Moment } from '../decision/moment.ts'
import { closedUnsaid } from './openPorts.ts'
import type { Observed } from '../decision/observed.ts'
import { refuse } from '../decision/refuse.ts'
import { resolveRoutes, routeHolder, routeInWords } from './routes.ts'
import { instancesOf, instancesOn, isReachable, newestRelease, servesWithout } from '../fleet/serving.ts'
import { strategyOf, wantedOn } from './serviceView.ts'
import { refuseInability, refuseUnknownKeys } from '../fleet/abilities.ts'
import type { Release } from '../fleet/state.ts'
import { localRoutesAbility } from '../protocol/localRoutes.ts'
import type { Service, State } from './state.ts'

/**
 * Decides whether this rollout may start, and with which machines and routes. A refusal changes nothing and names the
 * obstacle.
 */
export function startRollout(state: State, command: StartRollout, { observed }: Moment): Decision {
  const { service: name, kind } = command
  const service = state.services[name]
  if (!service && kind !== 'deploy') return unknownService(state, command)
  if (service?.rollout) return inProgress(service)

  const release = chooseRelease(state, command, service)
  if ('type' in release) return release
  if (isDone(state, command, service, release)) return { type: 'nothing' }

  const ends = kind === 'stop' || kind === 'remove'
  const machines = turnOrder(state, name, release.definition, ends)
  const assigned = ends ? { state, events: [] } : assignLoopbacks(state, release.definition)
  if (assigned === null)
    return refuse('E_ROUTE_TAKEN', 'every address of 127.77.0.0/16 belongs to another service', name, 'tandem status')
  const loopback = state.config.laptop ? laptopAddress : (assigned.state.loopbacks[name] ?? '')
  const routes = ends ? [] : resolveRoutes(state, release.definition, loopback)
  const hasLocal = routes.some((route) => route.kind === 'local')
  const former = formerPins(service, release.id, command)
  const hasServed = service?.completed.includes(release.id) ?? false
  const refusal =
    refuseUnknownMachines(state, name, kind, release.definition) ??
    refuseMachines(state, name, machines, ends) ??
    refuseRoutes(state, name, routes) ??
    (ends ? null : refuseKeys(state, observed, release)) ??
    (hasLocal ? refuseInability(state, observed, localRoutesAbility, name) : null) ??
    refuseForFeatures(state, {
      ...command,
      definition: ends ? null : release.definition,
      routes,
      hasServed,
      observed,
      former,
    }) ??
    (service && kind === 'deploy' ? refuseClosing(state, service, release) : null) ??
    (command.allowOutage || routes.length === 0 ? null : refuseOutage(state, name, release, machines))
  if (refusal) return refusal

  return {
    type: 'accepted',
    events: [
      ...assigned.events,
      {
        type: 'RolloutStarted',
        data: {
          rollout: command.rollout,
          service: name,
          kind,
          release: release.id,
          previous: service?.current && !service.stopped ? service.current.release : null,
          routes,
          machines,
          allowOutage: command.allowOutage,
          removeData: command.removeData,
          ...(ends ? {} : featurePins(state, release.definition, former)),
        },
      },
    ],
  }
}

/** Those with which the release ran last, as far as they are asked for. */
function formerPins(service: Service | undefined, release: string, { withFormer = [] }: StartRollout): Pins {
  const all = Object.entries(service?.ranWith?.[release] ?? {})
  return Object.fromEntries(all.filter(([name]) => withFormer.includes(name)))
}

function refuseKeys(state: State, observed: Observed, { service, definition }: Release): Refusal | null {
  const runs = (machine: string): boolean => wantedOn(state, definition, machine) > 0
  return refuseUnknownKeys(state, observed, { service, whole: definition, sent: asSent(definition), runs })
}

/** The definition of the release that a rollout would run; `null`: it runs none, or is refused. */
export function definitionToRun(state: State, command: StartRollout): Definition | null {
  if (command.kind === 'stop' || command.kind === 'remove') return null
  const release = chooseRelease(state, command, state.services[command.service])
  return 'type' in release ? null : release.definition
}

function chooseRelease(state: State, command: StartRollout, service: Service | undefined): Release | Refusal {
  const current = service?.current?.release
  switch (command.kind) {
    case 'deploy':
    case 'rollback': {
      const id = command.release ?? service?.completed.findLast((release) => release !== current)
      if (!id) {
        const next = `tandem releases ${command.service}`
        return refuse(
          'E_NO_OTHER_RELEASE',
          `no other release of ${command.service} has completed a rollout`,
          command.service,
          next,
        )
      }
      const release = state.releases[id]
      if (release?.service === command.service) return release
      const next = `tandem releases ${command.service}   lists the releases in the store`
      return refuse('E_RELEASE_GONE', `release ${id.slice(0, 12)} is not in the store`, command.service, next)
    }
    case 'restart':
    case 'start':
    case 'stop':
    case 'remove': {
      // A service whose first release never completed can still be removed.
      const release = current ? state.releases[current] : newestRelease(state, command.service)
      return release ?? unknownService(state, command)
    }
  }
}

function isDone(state: State, { kind }: StartRollout, service: Service | undefined, release: Release): boolean {
  if (!service) return false
  const runs = service.current !== null && !service.stopped
  const settled = service.behind.length === 0 && service.leftAlone.length === 0
  if (kind === 'deploy' || kind === 'rollback') return runs && settled && service.current?.release === release.id
  if (kind === 'start') return runs
  if (kind === 'stop') return !runs && instancesOf(state, service.name).length === 0
  return false
}

/**
 * Machines that are to run the service come before machines that it leaves, and machines that run none yet come before
 * all: so no instance leaves, or is replaced, before another one serves.
 */
function turnOrder(state: State, service: string, definition: Definition, stops: boolean): string[] {
  const wanted = (machine: string): number => (stops ? 0 : wantedOn(state, definition, machine))
  const runs = (machine: string): boolean => instancesOn(state, service, machine).length > 0
  const rank = (machine: string): number => (wanted(machine) === 0 ? 2 : runs(machine) ? 1 : 0)
  return Object.keys(state.machines)
    .filter((machine) => wanted(machine) > 0 || runs(machine))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

function refuseUnknownMachines(
  state: State,
  service: string,
  kind: RolloutKind,
  definition: Definition,
): Refusal | null {
  if (kind === 'stop' || kind === 'remove') return null
  const unknown = (definition.machines ?? []).filter((machine) => !(machine in state.machines))
  if (unknown.length === 0) return null
  const known = Object.keys(state.machines).join(', ') || 'none'
  const message = `the definition of ${service} names machine ${unknown.join(', ')}, which this cluster does not have`
  return refuse('E_NO_SUCH_MACHINE', message, service, `machines of ${state.config.cluster}: ${known}`)
}

function refuseMachines(state: State, service: string, machines: string[], stops: boolean): Refusal | null {
  if (machines.some((machine) => isReachable(state, machine))) return null
  // No machine runs the service, and none is to run it: stopping or removing it is done at once.
  if (machines.length === 0 && stops && Object.keys(state.machines).length > 0) return null
  const emptied = Object.values(state.machines).filter(({ runsNothing }) => runsNothing)
  if (machines.length === 0 && emptied.length > 0) {
    const names = emptied.map(({ name }) => name).join(', ')
    const next = `tandem machine ready ${emptied[0]?.name}`
    return refuse('E_NO_MACHINE_REACHABLE', `an operator has stopped everything on ${names}`, service, next)
  }
  const message = Object.keys(state.machines).length === 0 ? 'no machine has joined yet' : 'every machine is lost'
  return refuse('E_NO_MACHINE_REACHABLE', message, service, 'tandem machines   shows when each machine last reported')
}

function refuseRoutes(state: State, service: string, routes: ResolvedRoute[]): Refusal | null {
  for (const route of routes) {
    const holder = routeHolder(state, service, route)
    if (holder) {
      const next = `give one of the two services another route in its tandem.yaml, or: tandem remove ${holder}`
      const why = state.config.laptop && route.kind === 'local' ? '; on a laptop all services share 127.0.0.1' : ''
      const message = `${routeInWords(route)} is already the route of service ${holder}${why}`
      return refuse('E_ROUTE_TAKEN', message, service, next)
    }
    const own = route.kind === 'local' ? ownPort(state, route.port) : null
    if (own !== null) {
      const message = `Tandem itself uses ${routeInWords(route)}: ${own}`
      return refuse('E_ROUTE_TAKEN', message, service, `choose another port in the tandem.yaml of ${service}`)
    }
  }
  return null
}

/** The part of Tandem that listens on this port, on all addresses of some machine; `null`: none. */
function ownPort({ cluster, machines, config }: State, port: number): string | null {
  if (port === cluster?.entry.https && cluster.entry.certificates !== null) return 'the entry for https'
  for (const { name, endpoints } of Object.values(machines)) {
    if (port === endpoints.http) return `the entry of machine ${name}`
    if (port === endpoints.forward && !config.laptop) return `the port on which other machines forward to ${name}`
  }
  return null
}

/**
 * A release that has served before is not checked again: going back to it means going back to the ports that it had.
 */
function refuseClosing(state: State, service: Service, { id, definition }: Release): Refusal | null {
  const [port] = service.completed.includes(id) ? [] : closedUnsaid(state, service, definition)
  if (port === undefined) return null
  const message = `this release would close tcp port ${port}, which everybody can reach today; its definition does not say who may reach it`
  const lines = `{ port: ${port}, expose: local } (programs on the machines) or { port: ${port}, expose: public } (everybody, as today)`
  return refuse('E_EXPOSE_UNSAID', message, service.name, `write ${lines} into its tandem.yaml, and push again`)
}

/** Under `replace` each machine is without an instance for a while: another instance must be ready meanwhile. */
function refuseOutage(state: State, service: string, release: Release, machines: string[]): Refusal | null {
  for (const machine of machines.filter((name) => isReachable(state, name))) {
    const old = instancesOn(state, service, machine).filter(({ state: is }) => is === 'ready')
    // With two or more wanted, one stays while the other is replaced.
    if (old.length === 0 || wantedOn(state, release.definition, machine) !== 1) continue
    const target = { release: release.id, generation: '', instances: 1, strategy: release.definition.rollout.strategy }
    if (strategyOf(state, { service, machine, target }) === 'overlap') continue
    const ids = old.map(({ id }) => id)
    // A machine with an earlier turn may be the one that serves by then.
    const earlier = machines.slice(0, machines.indexOf(machine)).some((name) => isReachable(state, name))
    if (servesWithout(state, service, ids) || (earlier && wantedOn(state, release.definition, machines[0] ?? '') > 0))
      continue
    const message = `replacing the only ready instance of ${service} (on machine ${machine}) would interrupt the service`
    const next =
      'use strategy overlap, run the service on two machines, or pass --allow-outage: requests are then held up to 30 s'
    return refuse('E_OUTAGE', message, service, next)
  }
  return null
}

function inProgress(service: Service): Refusal {
  const next = `tandem rollout show ${service.rollout}   or   tandem rollout abort ${service.rollout}`
  return refuse('E_ROLLOUT_IN_PROGRESS', `rollout ${service.rollout} is in progress`, service.name, next)
}

function unknownService(state: State, { service, kind, removeData }: StartRollout): Refusal {
  const next =
    kind === 'remove' && removeData
      ? `${knownServices(state)}; if an earlier remove kept data: tandem push DIR, then tandem remove ${service} --data`
      : knownServices(state)
  return noSuchService(state, service, next)
}
