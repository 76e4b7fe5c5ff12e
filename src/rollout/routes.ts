import type { Definition } from '../definitions/definition.ts'
import type { ResolvedRoute } from '../events/event.ts'
import { instancesOn } from './serviceView.ts'
import type { State } from './state.ts'

/**
 * The routes a release will have. One that writes none takes the default (any host, path `/`) while that is free; on a
 * laptop every http service also answers at SERVICE.localhost.
 */
export function resolveRoutes(state: State, definition: Definition): ResolvedRoute[] {
  const { service, listen } = definition
  if (listen === 'none') return []
  const written = (definition.routes ?? []).map((route): ResolvedRoute =>
    'port' in route ? { kind: 'tcp', port: route.port } : { kind: 'http', host: route.host, path: route.path },
  )
  if (listen === 'tcp') return written
  const local: ResolvedRoute[] = state.config.laptop ? [{ kind: 'http', host: `${service}.localhost`, path: '/' }] : []
  if (definition.routes !== null) return union(written, local)
  const any: ResolvedRoute = { kind: 'http', host: null, path: '/' }
  const taken = routeHolder(state, service, any) !== null
  return taken && state.config.laptop ? local : [any, ...local]
}

/** The other service that holds this host and path, or port, now or by a rollout in progress; `null`: free. */
export function routeHolder(state: State, service: string, route: ResolvedRoute): string | null {
  for (const generation of Object.values(state.generations)) {
    if (generation.service === service || !isUsed(state, generation.service)) continue
    if (generation.routes.some((held) => sameRoute(held, route))) return generation.service
  }
  return null
}

/** A stopped service keeps its routes: it will be started again. */
const isUsed = (state: State, service: string): boolean =>
  service in state.services ||
  Object.keys(state.machines).some((machine) => instancesOn(state, service, machine).length > 0)

export const sameRoute = (a: ResolvedRoute, b: ResolvedRoute): boolean =>
  a.kind === 'http'
    ? b.kind === 'http' && a.host === b.host && a.path === b.path
    : b.kind === 'tcp' && a.port === b.port

const union = (a: ResolvedRoute[], b: ResolvedRoute[]): ResolvedRoute[] => [
  ...a,
  ...b.filter((route) => !a.some((one) => sameRoute(one, route))),
]
