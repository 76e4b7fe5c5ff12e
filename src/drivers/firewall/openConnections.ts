import { exec } from '../../lib/exec.ts'
import { routeNet, type TableRules } from './tableText.ts'

export interface OpenConnection {
  uid: number
  from: string
  fromPort: string
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
    return [{ uid, from: source[1], fromPort: source[2], to: target[1], toPort: Number(target[2]) }]
  })

/** Whether these rules would refuse a connection to a route now. */
export function isRefused({ uid, to, toPort }: OpenConnection, { free, users, routes, may }: TableRules): boolean {
  const isRoute = routes.some(({ address, port }) => address === to && port === toPort)
  if (!isRoute || free.includes(uid) || users.includes(uid)) return false
  return !may.some((one) => one.uid === uid && one.address === to && one.port === toPort)
}

/** Ends the open connections to routes that these rules would refuse: the kernel asks only when one begins. */
export async function endRefused(rules: TableRules): Promise<void> {
  const { out } = await exec(['ss', '-tneH', 'state', 'established', 'dst', routeNet])
  for (const one of connectionsIn(out)) {
    if (!isRefused(one, rules)) continue
    const ends = ['src', one.from, 'sport', '=', `:${one.fromPort}`, 'dst', one.to, 'dport', '=', `:${one.toPort}`]
    await exec(['ss', '-K', ...ends])
  }
}
