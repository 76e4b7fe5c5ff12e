import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import type { LocalRoute } from '../protocol/localRoutes.ts'
import type { DesiredRoute } from '../protocol/services.ts'
import { limits } from '../decision/limits.ts'
import { routeKey } from './routes.ts'
import { definitionOf, instancesOf } from '../fleet/serving.ts'
import { remembered } from '../lib/remembered.ts'
import { strategyOf } from './serviceView.ts'
import { isCalled } from './callers.ts'
import { impliedRoute } from './localAnswers.ts'
import { turnKey } from '../fleet/state.ts'
import type { Generation, Service, State } from './state.ts'

type Either = Omit<DesiredRoute, 'match'> & { match: DesiredRoute['match'] | LocalRoute['match'] }

interface Routes {
  routes: DesiredRoute[]
  localRoutes: LocalRoute[]
}

/**
 * The union of the routes of all generations that still have an instance anywhere; each route leads to its own
 * releases. A stopped service keeps its hosts and paths, because otherwise its requests would fall to another service
 * with a shorter path; its ports are closed.
 */
export function desiredRoutes(state: State, machine: string): Routes {
  const machines = Object.values(state.machines).flatMap((one) => [one.name, one.traffic])
  const turns = Map.groupBy(Object.values(state.turns), ({ service }) => service)
  const all = [...byService(state.generations)].map(([service, generations]) =>
    knownRoutes(state, service, machine, [
      ...generations.map(([, generation]) => generation),
      ...instancesOf(state, service),
      ...(turns.get(service) ?? []),
      ...machines,
      isCalled(state, service),
    ]),
  )
  return {
    routes: all.flatMap(({ routes }) => routes),
    localRoutes: all.flatMap(({ localRoutes }) => localRoutes),
  }
}

const byService = remembered((generations: State['generations']) =>
  Map.groupBy(Object.entries(generations), ([, { service }]) => service),
)

interface Known {
  /** Everything that the routes follow from. */
  from: readonly unknown[]
  made: Routes
}

/** The last routes of each service, by machine. */
const lastRoutes = new WeakMap<Service, Map<string, Known>>()

/** The routes of a service: the same objects as before where nothing that they follow from has changed. */
function knownRoutes(state: State, name: string, machine: string, from: unknown[]): Routes {
  const service = state.services[name]
  if (!service) return split(routesOf(state, name, machine))
  from.push(state.loopbacks[name], state.laptopPorts[name])
  const byMachine = lastRoutes.get(service) ?? new Map<string, Known>()
  lastRoutes.set(service, byMachine)
  const last = byMachine.get(machine)
  if (last?.from.length === from.length && from.every((one, index) => last.from[index] === one)) return last.made
  const made = split(routesOf(state, name, machine))
  byMachine.set(machine, { from, made })
  return made
}

const split = (all: Either[]): Routes => ({
  routes: all.flatMap(({ match, ...route }) => (match.kind === 'local' ? [] : [{ ...route, match }])),
  localRoutes: all.flatMap(({ match, ...route }) => (match.kind === 'local' ? [{ ...route, match }] : [])),
})

function routesOf(state: State, service: string, machine: string): Either[] {
  const routes = new Map<string, Either>()
  const instances = instancesOf(state, service)
  const generations = (byService(state.generations).get(service) ?? []).filter(([id]) =>
    instances.some((one) => one.generation === id),
  )
  const running = generations.map(([id, one]) => [id, withImplied(state, one)] as const)
  for (const [id, generation] of [...running, ...stoppedGeneration(state, service)]) {
    const definition = definitionOf(state, generation.release)
    const releases = instances.some((one) => one.generation === id) ? [generation.release] : []
    for (const resolved of generation.routes) {
      const match = resolved.kind === 'tcp' ? { ...resolved, address: state.loopbacks[service] ?? null } : resolved
      const forwardTo = forwardsTo(state, service, id, machine)
      const route = {
        ...{ service, match, releases, forwardTo, holdMs: holds(state, service) ? limits.holdMs : null },
        ...{ idleMs: definition.idleMs, bodyBytes: definition.limits.bodyBytes },
      }
      const known = routes.get(routeKey(match))
      const both = known ? joined(known, route) : route
      if (both) routes.set(routeKey(match), both)
    }
  }
  return [...routes.values()]
}

/**
 * Merges two generations that both have the route into one listener. A port that is public for one generation stays
 * public until that generation is gone. `null`: one carries http and the other tcp; the newer begins when the older is
 * gone.
 */
function joined(known: Either, more: Either): Either | null {
  if (carried(known) !== carried(more)) return null
  return {
    ...known,
    match: more.match.kind === 'tcp' ? more.match : known.match,
    releases: [...new Set([...known.releases, ...more.releases])],
    forwardTo: [...new Set([...known.forwardTo, ...more.forwardTo])],
  }
}

const carried = ({ match }: Either): 'http' | 'tcp' => (match.kind === 'local' ? match.carries : match.kind)

function withImplied(state: State, generation: Generation): Generation {
  const { service, release, routes } = generation
  if (!isCalled(state, service)) return generation
  const implied = impliedRoute(state, service, definitionOf(state, release), routes)
  return implied ? { ...generation, routes: [...routes, implied] } : generation
}

function stoppedGeneration(state: State, name: string): [string, Generation][] {
  const { current = null, stopped = false } = state.services[name] ?? {}
  const generation = current && stopped ? state.generations[current.generation] : undefined
  if (!current || !generation) return []
  const written = new Set<ResolvedRoute>(generation.routes)
  // Its clients get an answer with its name at the implied route too.
  const kept = withImplied(state, generation).routes.filter((route) => route.kind === 'http' || !written.has(route))
  return [[current.generation, { ...generation, routes: kept }]]
}

/**
 * Machines whose balancers serve the generation: in traffic, with an instance of the generation that is ready and in
 * traffic.
 */
function forwardsTo(state: State, service: string, generation: string, from: string): string[] {
  const able = instancesOf(state, service).filter(
    (one) =>
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

/** Under `replace` a service deliberately has no instance for a while: its requests are then held. */
const holds = (state: State, service: string): boolean =>
  Object.values(state.turns).some((turn) => turn.service === service && strategyOf(state, turn) === 'replace')
