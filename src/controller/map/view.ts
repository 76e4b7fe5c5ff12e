import type { ClusterMap, MapEdge, MapNode } from '../../api/map.ts'
import { isServiceCall, prefixOf, type Call } from '../../definitions/calls.ts'
import { callsOf } from '../../definitions/features.ts'
import { instancesOf, takesRequests } from '../../fleet/serving.ts'
import type { Service, State } from '../../rollout/state.ts'
import { definitionNow } from '../../rollout/serviceView.ts'
import { answerOf } from '../../rollout/localAnswers.ts'
import { boxOf, pathOf, sizeOf } from './geometry.ts'
import { layout, type Place } from './layout.ts'

/** The connections from a service to another one. */
type CountedCall = Pick<MapEdge, 'from' | 'to' | 'seen' | 'refused'>

export interface Counts {
  /** In milliseconds; `null`: nothing counts connections here. */
  since: number | null
  edges: readonly CountedCall[]
}

export const notCounted: Counts = { since: null, edges: [] }

/** A declared use without a connection for this long is unused. */
const unusedAfterMs = 7 * 24 * 3_600_000

/** Services, addresses outside, and the edges between them. */
export function clusterMap(state: State, counts: Counts, now: number): ClusterMap {
  const services = Object.values(state.services).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const found = edgesOf(state, services, counts, now)
  const names = services.map(({ name }) => name)
  const others = [...new Set(found.map(({ to }) => to))].filter((name) => !names.includes(name)).sort()
  const outside = others.filter((name) => name.includes(':'))
  const missing = others.filter((name) => !name.includes(':'))
  const { places, via } = layout([...names, ...others], found, outside)
  const placed = (name: string): Place => places.get(name) ?? { column: 0, row: 0 }
  return {
    cluster: state.config.cluster,
    size: sizeOf([...places.values(), ...found.flatMap(via)]),
    countedSince: counts.since === null ? null : new Date(counts.since).toISOString(),
    nodes: [
      ...services.map((service) => ({ ...serviceNode(state, service), box: boxOf(placed(service.name)) })),
      ...missing.map((name) => ({ ...missingNode(name), box: boxOf(placed(name)) })),
      ...outside.map((name) => ({ kind: 'outside' as const, name, box: boxOf(placed(name)) })),
    ],
    edges: found.map((edge) => ({ ...edge, path: pathOf(placed(edge.from), via(edge), placed(edge.to)) })),
    machines: Object.values(state.machines)
      .map(({ name, lost, traffic }) => {
        const shown = traffic === 'unforwarding' ? 'draining' : traffic
        return { name, state: lost ? ('lost' as const) : shown }
      })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

type ServiceNode = Omit<Extract<MapNode, { kind: 'service' }>, 'box'>

const missingNode = (name: string): ServiceNode => ({
  ...{ kind: 'service', name, state: 'missing', machines: [], routes: [] },
  about: { owner: null, runbook: null, what: null },
})

function serviceNode(state: State, service: Service): ServiceNode {
  const { name, current } = service
  const instances = instancesOf(state, name).filter(({ state: is }) => is !== 'stopping')
  const { owner = null, runbook = null, what = null } = definitionNow(state, service.name)?.about ?? {}
  const routes = current ? (state.generations[current.generation]?.routes ?? []) : []
  return {
    kind: 'service',
    name,
    state: stateOf(state, service, instances),
    machines: [...new Set(instances.map(({ machine }) => machine))].sort(),
    routes: routes.flatMap((route) => {
      if (route.kind === 'http') return [`${route.host ?? '*'}${route.path}`]
      return route.kind === 'tcp' ? [`:${route.port}`] : []
    }),
    about: { owner, runbook, what },
  }
}

function stateOf(
  state: State,
  { current, stopped }: Service,
  instances: ReturnType<typeof instancesOf>,
): ServiceNode['state'] {
  if (stopped) return 'stopped'
  const working = instances.filter((one) => takesRequests(state, one)).length
  if (working > 0)
    return instances.every((one) => one.state !== 'failed' && takesRequests(state, one)) ? 'ready' : 'partly'
  return current === null ? 'starting' : 'down'
}

type Found = Omit<MapEdge, 'path'>

function edgesOf(state: State, services: readonly Service[], counts: Counts, now: number): Found[] {
  const found = new Map(counts.edges.map((edge) => [`${edge.from} ${edge.to}`, edge]))
  const declared = services.flatMap((service) =>
    callsOf(definitionNow(state, service.name) ?? {}).map((call) => {
      const edge = declaredEdge(state, service.name, call)
      const counted = found.get(`${edge.from} ${edge.to}`)
      found.delete(`${edge.from} ${edge.to}`)
      return { ...edge, ...measured(counted, counts, now, isServiceCall(call)) }
    }),
  )
  const undeclared = [...found.values()].map(({ from, to, seen, refused }): Found => ({
    ...{ from, to, declared: false, optional: false, port: null, as: null, seen, refused, mark: 'undeclared' },
  }))
  return [...declared, ...undeclared].toSorted((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

function declaredEdge(state: State, from: string, call: Call): Omit<Found, 'seen' | 'refused' | 'mark'> {
  if (!isServiceCall(call)) {
    const port = Number(call.address.slice(call.address.lastIndexOf(':') + 1))
    return { from, to: call.address, declared: true, optional: false, port, as: null }
  }
  const { service, optional = false } = call
  const port = answerOf(state, call)?.port ?? call.port ?? null
  return { from, to: service, declared: true, optional, port, as: prefixOf(call) }
}

/** Nothing counts connections to addresses outside. */
function measured(
  counted: CountedCall | undefined,
  { since }: Counts,
  now: number,
  isCounted: boolean,
): Pick<MapEdge, 'seen' | 'refused' | 'mark'> {
  const { seen = null, refused = null } = counted ?? {}
  const isUnused = isCounted && seen === null && since !== null && now - since >= unusedAfterMs
  return { seen, refused, mark: isUnused ? 'unused' : null }
}
