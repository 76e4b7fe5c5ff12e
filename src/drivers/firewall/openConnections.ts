import { exec } from '../../lib/exec.ts'
import { routeNet, type TableRules } from './tableText.ts'

export interface OpenConnection {
  uid: number
  from: string
  fromPort: number
  to: string
  toPort: number
}

/** The connections in the output of `ss -tneH state established`, which prints no state. A connection of root has no `uid:`. */
export const connectionsIn = (out: string): OpenConnection[] =>
  out.split('\n').flatMap((line) => {
    const [, , from, to] = line.trim().split(/\s+/)
    const [source, target] = [from, to].map((end) => /^(.+):(\d+)$/.exec(end ?? ''))
    if (!source?.[1] || !source[2] || !target?.[1]) return []
    const uid = Number(/\buid:(\d+)/.exec(line)?.[1] ?? 0)
    return [{ uid, from: source[1], fromPort: Number(source[2]), to: target[1], toPort: Number(target[2]) }]
  })

/** Whether these rules would refuse the connection now, of which this is one end. */
export function isRefused(one: OpenConnection, rules: TableRules): boolean {
  const { uid, to, toPort, fromPort } = one
  const { free, users, routes, may, owners } = rules
  const isInstance = (wanted: number): boolean => owners.some(({ port }) => port === wanted)
  // Seen from the instance: its caller is another computer. Callers of this machine are judged at their own end.
  if (isInstance(fromPort) && !isHere(one)) return true
  if (free.includes(uid)) return false
  if (isInstance(toPort) && isHere(one)) return !owners.some((owner) => owner.uid === uid && owner.port === toPort)
  const isRoute = routes.some(({ address, port }) => address === to && port === toPort)
  if (!isRoute || users.includes(uid)) return false
  return !may.some((entry) => entry.uid === uid && entry.address === to && entry.port === toPort)
}

/** Whether both ends are on this machine: between two of its own addresses, the kernel takes the same one for both. */
const isHere = ({ from, to }: OpenConnection): boolean => from === to || [from, to].some((end) => loopback.test(end))
const loopback = /^(127\.|\[::1\]|\[::ffff:127\.)/

/**
 * Ends the open connections to routes and instances that these rules would refuse: the kernel asks only when one
 * begins.
 */
export async function endRefused(rules: TableRules): Promise<void> {
  const ports = rules.owners.map(({ port }) => port)
  const [first, last] = [Math.min(...ports), Math.max(...ports)]
  const between = (end: string): string => `( ${end} >= :${first} and ${end} <= :${last} )`
  const toInstances = ports.length === 0 ? [] : ['or', between('dport'), 'or', between('sport')]
  const filter = [`dst ${routeNet}`, ...toInstances].join(' ')
  const { out } = await exec(['ss', '-tneH', 'state', 'established', `( ${filter} )`])
  for (const one of connectionsIn(out)) {
    if (!isRefused(one, rules)) continue
    const ends = ['src', one.from, 'sport', '=', `:${one.fromPort}`, 'dst', one.to, 'dport', '=', `:${one.toPort}`]
    await exec(['ss', '-K', ...ends])
  }
}
