import type { Definition } from '../definitions/definition.ts'
import type { ResolvedRoute } from '../events/rolloutEvents.ts'
import { instancesOn } from '../fleet/serving.ts'
import type { State } from './state.ts'

/**
 * The routes that a release will have, its local ones at `loopback`. A release without written routes takes the default
 * (any host, path `/`) while that is free; on a laptop every http service also answers at SERVICE.localhost.
 */
export function resolveRoutes(state: State, definition: Definition, loopback: string): ResolvedRoute[] {
  const { service, listen } = definition
  if (listen === 'none') return []
  const written = (definition.routes ?? []).map((route): ResolvedRoute => {
    if (!('port' in route)) return { kind: 'http', host: route.host, path: route.path }
    if (route.expose !== 'local') return { kind: 'tcp', port: route.port }
    return { kind: 'local', carries: listen, address: loopback, port: route.port }
  })
  if (listen === 'tcp') return written
  const named: ResolvedRoute[] = state.config.laptop ? [{ kind: 'http', host: `${service}.localhost`, path: '/' }] : []
  if (definition.routes !== null) return union(written, named)
  const any: ResolvedRoute = { kind: 'http', host: null, path: '/' }
  const taken = routeHolder(state, service, any) !== null
  return taken && state.config.laptop ? named : [any, ...named]
}

/** The other service that holds this host and path, or port, now or through a rollout in progress; `null`: free. */
export function routeHolder(state: State, service: string, route: ResolvedRoute): string | null {
  for (const generation of Object.values(state.generations)) {
    if (generation.service === service || !isUsed(state, generation.service)) continue
    if (generation.routes.some((held) => collide(held, route))) return generation.service
  }
  return null
}

/** A stopped service keeps its routes: it will be started again. */
const isUsed = (state: State, service: string): boolean =>
  service in state.services ||
  Object.keys(state.machines).some((machine) => instancesOn(state, service, machine).length > 0)

/**
 * Whether two services cannot have both routes. A public port is taken at every address: at the loopback address of a
 * service that does not listen just now, its clients would reach the other service.
 */
function collide(a: ResolvedRoute, b: ResolvedRoute): boolean {
  if (a.kind === 'http' || b.kind === 'http')
    return a.kind === 'http' && b.kind === 'http' && a.host === b.host && a.path === b.path
  if (a.port !== b.port) return false
  return a.kind === 'tcp' || b.kind === 'tcp' || a.address === b.address
}

/** Distinguishes the routes of one service: when two releases have the same route, it leads to both. */
export const routeKey = (route: ResolvedRoute): string =>
  route.kind === 'http' ? `${route.host ?? '*'}${route.path}` : `:${route.port}`

/** The route in the words that users use. */
export function routeInWords(route: ResolvedRoute): string {
  switch (route.kind) {
    case 'http':
      return `${route.host ?? 'any host'}${route.path}`
    case 'tcp':
      return `port ${route.port}`
    case 'local':
      return `local port ${route.port}`
  }
}

const union = (a: ResolvedRoute[], b: ResolvedRoute[]): ResolvedRoute[] => [
  ...a,
  ...b.filter((route) => !a.some((one) => routeKey(one) === routeKey(route))),
]
