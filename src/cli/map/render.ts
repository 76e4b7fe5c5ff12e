import type { ClusterMap, Counted, MapEdge, MapNode } from '../../api/map.ts'
import { prefixOf } from '../../definitions/calls.ts'
import type { Paint } from '../paint.ts'
import { seen } from '../render/seen.ts'
import { renderTable } from '../render/table.ts'

type ServiceNode = Extract<MapNode, { kind: 'service' }>

/** A table of services, and one of calls; below them, what the marks mean. */
export function mapLines(map: ClusterMap, now: number, paint: Paint): string[] {
  const services = map.nodes.filter((node) => node.kind === 'service')
  if (services.length === 0) return ['no services yet; tandem push DIR creates the first one']
  return [...serviceLines(services, paint), '', ...edgeLines(map, now, paint), ...notes(map)]
}

function serviceLines(services: readonly ServiceNode[], paint: Paint): string[] {
  const rows = services.map(({ name, state, machines, routes, about }) => [
    name,
    state === 'ready' ? state : paint(state === 'down' ? 'red' : 'yellow', state),
    machines.join(', ') || '-',
    routes.join(' ') || '-',
    about.owner ?? '-',
    [about.what, about.runbook].filter((text) => text !== null).join('   ') || '-',
  ])
  return renderTable(['SERVICE', 'STATE', 'MACHINES', 'PUBLIC', 'OWNER', 'ABOUT'], rows, paint)
}

function edgeLines({ edges, countedSince }: ClusterMap, now: number, paint: Paint): string[] {
  if (edges.length === 0) return ['no service says that it calls another one: see `uses` in docs/definition.md']
  const rows = edges.map((edge) => [
    edge.from,
    edge.to + (edge.as === null ? '' : aliased(edge)),
    edge.port === null ? '-' : String(edge.port),
    countedSince === null ? 'not counted' : counted(edge.seen, now),
    marks(edge, now, paint),
  ])
  return renderTable(['CALLER', 'CALLS', 'PORT', 'CONNECTIONS', 'REMARKS'], rows, paint)
}

const aliased = ({ as, to }: MapEdge): string => (as === null || as === prefixOf({ service: to }) ? '' : ` as ${as}`)

const counted = (found: Counted | null, now: number): string =>
  found === null ? 'none' : `${found.count}, last ${seen(found.last, now)}`

function marks({ mark, optional, refused }: MapEdge, now: number, paint: Paint): string {
  return [
    ...(mark === null ? [] : [paint('yellow', mark)]),
    ...(optional ? ['optional'] : []),
    ...(refused === null ? [] : [paint('red', `refused ${refused.count} times, last ${seen(refused.last, now)}`)]),
  ].join(', ')
}

function notes({ edges }: ClusterMap): string[] {
  const lines = [
    ...(edges.some(({ mark }) => mark === 'undeclared')
      ? ['undeclared: called without being named in `uses` of the caller']
      : []),
    ...(edges.some(({ mark }) => mark === 'unused') ? ['unused: named in `uses`, but not called for 7 days'] : []),
  ]
  return lines.length === 0 ? [] : ['', ...lines]
}
