import type { BalancerCounters, InFlight } from '../balancer.ts'
import { isCounting } from './bodyLimit.ts'
import { ownPortOf } from './servedRoute.ts'
import type { StatLine } from './statistics.ts'

/** Statistics of each worker that answered, by process id. */
export type Reading = Map<number, StatLine[]>

/**
 * Work in flight by instance, summed over all workers. HTTP upgrades look like requests, so only TCP counts as long.
 */
export function workIn(reading: Reading): Map<string, InFlight> {
  const work = new Map<string, InFlight>()
  for (const { server, mode, sessions } of instanceLines(reading)) {
    const sum = work.get(server) ?? { work: 0, long: 0 }
    work.set(server, { work: sum.work + sessions, long: sum.long + (mode === 'tcp' ? sessions : 0) })
  }
  return work
}

/** Instances that did not answer the checks of HAProxy. */
export function downIn(lines: StatLine[]): Set<string> {
  const down = lines.filter((line) => isInstance(line) && line.status.startsWith('DOWN'))
  return new Set(down.map(({ server }) => server))
}

export function idleConnectionsIn(lines: StatLine[], instance: string): number {
  return lines.reduce((sum, line) => sum + (line.server === instance ? line.idleConnections : 0), 0)
}

function* instanceLines(reading: Reading): Iterable<StatLine> {
  for (const lines of reading.values()) for (const line of lines) if (isInstance(line)) yield line
}

export const isInstance = ({ proxy, server }: StatLine): boolean =>
  /^(svc|fwd)_/.test(proxy) && /^[a-z0-9-]+$/.test(server)

/** The service of a backend; `null`: it belongs to none. */
export const serviceOf = (backend: string): string | null =>
  /^(?:svc|fwd|count)_([a-z0-9-]+)/.exec(backend)?.[1] ?? null

type Counts = Map<string, number>

/** The counters of a balancer, from the sums of all lines. */
export function countersIn(sums: StatLine[], held: number): BalancerCounters {
  const all = countsIn(sums)
  const named = (kind: string): [string[], number][] =>
    [...all].flatMap(([key, count]) => (key.startsWith(`${kind} `) ? [[key.split(' ').slice(1), count]] : []))
  return {
    requests: named('answer').map(([[service = '', statusClass = ''], count]) => ({ service, statusClass, count })),
    retries: all.get('retries') ?? 0,
    refused: named('refused').map(([[reason = ''], count]) => ({ reason, count })),
    held,
    openConnections: sums.reduce((sum, line) => sum + open(line), 0),
  }
}

function open({ proxy, server, sessions }: StatLine): number {
  const isClients = proxy === 'entry' || proxy === 'forward' || ownPortOf(proxy) !== null
  return server === 'FRONTEND' && isClients ? sessions : 0
}

function countsIn(lines: StatLine[]): Counts {
  const counts: Counts = new Map()
  const add = (key: string, count: number): void => {
    if (count > 0) counts.set(key, (counts.get(key) ?? 0) + count)
  }
  for (const line of lines) {
    const { proxy, server } = line
    if (server === 'FRONTEND') {
      add(`refused ${proxy.startsWith('forwarded_') ? 'not-forwarded' : 'connections'}`, refusedBy(line))
    } else if (server === 'BACKEND') {
      const service = serviceOf(proxy)
      if (service !== null && !isCounting(proxy)) countService(line, service, add)
      if (proxy === 'no_route')
        add(
          'refused no-route',
          line.answers.reduce((sum, count) => sum + count, 0),
        )
    }
  }
  return counts
}

const refusedBy = (line: StatLine): number => line.deniedConnections + line.deniedSessions

function countService(line: StatLine, service: string, add: (key: string, count: number) => void): void {
  add('retries', line.retries + line.redispatches)
  if (line.mode === 'tcp') return add(`answer ${service} tcp`, line.total)
  line.answers.forEach((count, index) => add(`answer ${service} ${index + 1}xx`, count))
}
