import type { ClusterMap } from '../../src/api/map.ts'
import { count } from '../lib/numbers.ts'

/** The heading: the number of services, lost machines, services that are not well, and odd calls. */
export function mapTitle({ nodes, edges, machines }: ClusterMap): string {
  const services = nodes.filter((node) => node.kind === 'service' && node.state !== 'missing')
  const named = (state: string): string[] =>
    nodes.flatMap((node) => (node.kind === 'service' && node.state === state ? node.name : []))
  const undeclared = edges.filter(({ mark }) => mark === 'undeclared').length
  const unused = edges.filter(({ mark }) => mark === 'unused').length
  return [
    `${count(services.length, 'service')}, ${count(edges.length, 'call')}.`,
    ...machines.flatMap(({ name, state }) => (state === 'lost' ? `Machine ${name} is lost.` : [])),
    ...said(named('down'), 'down'),
    ...said(named('partly'), 'partly ready'),
    ...(undeclared === 0 ? [] : [`${undeclared} undeclared.`]),
    ...(unused === 0 ? [] : [`${unused} unused.`]),
  ].join(' ')
}

const said = (names: readonly string[], state: string): string[] =>
  names.length === 0
    ? []
    : [
        `${names.length > mostNames ? names.length : names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} ${state}.`,
      ]

/** Of more, the heading only says how many. */
const mostNames = 3
