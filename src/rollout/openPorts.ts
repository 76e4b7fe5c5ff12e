import type { Definition } from '../definitions/definition.ts'
import { saysNothing } from '../protocol/declaredRoutes.ts'
import { definitionOf } from '../fleet/serving.ts'
import type { Service, State } from './state.ts'

/**
 * Public ports of a running service whose definition does not declare them public: its release is older than `expose`.
 */
export function unsaidPorts(state: State, service: Service): number[] {
  if (service.stopped || !service.current) return []
  const routes = definitionOf(state, service.current.release).routes ?? []
  const unsaid = routes.filter(saysNothing).map(({ port }) => port)
  return openPorts(state, service).filter((port) => unsaid.includes(port))
}

/** Ports of a service that this release would close although its definition does not say so. */
export function closedUnsaid(state: State, service: Service, next: Definition): number[] {
  const open = openPorts(state, service)
  return (next.routes ?? []).flatMap((route) =>
    'port' in route && route.byDefault && open.includes(route.port) ? [route.port] : [],
  )
}

/** On a laptop every port belongs to 127.0.0.1. */
const openPorts = ({ generations, config }: State, { current }: Service): number[] =>
  (current && !config.laptop ? (generations[current.generation]?.routes ?? []) : []).flatMap((route) =>
    route.kind === 'tcp' ? [route.port] : [],
  )
