import { z } from 'zod'
import type { Call } from './firewall.ts'

const valueSchema = z.object({ concat: z.array(z.union([z.string(), z.number()])) })
const elementSchema = z.object({
  elem: z.object({ val: valueSchema, counter: z.object({ packets: z.int() }).default({ packets: 0 }) }),
})
const listedSchema = z.object({
  nftables: z.array(z.object({ set: z.object({ elem: z.array(elementSchema).default([]) }).optional() })),
})

export interface Counted {
  /** The number or name of the user, the address of a route, and the port. */
  words: string[]
  count: number
}

/** The elements of a set, from the output of `nft -j list set`. */
export const countedIn = (json: string): Counted[] =>
  listedSchema
    .parse(JSON.parse(json))
    .nftables.flatMap(({ set }) =>
      (set?.elem ?? []).map(({ elem }) => ({ words: elem.val.concat.map(String), count: elem.counter.packets })),
    )

interface Names {
  /** The service with this user, or `user NAME`. */
  callerOf: (uid: number) => string
  /** The service behind `ADDRESS PORT`; `null`: none any more. */
  routeOf: (route: string) => string | null
  /** The service of an instance's port. */
  ownerOf: (port: number) => string | null
}

/** Connections from one caller to one service. Ports that belong to nobody any more are left out. */
export function callsOf(
  sets: { seen: Counted[]; refused: Counted[]; refusedPorts: Counted[] },
  { callerOf, routeOf, ownerOf }: Names,
): Call[] {
  const calls = new Map<string, Call>()
  const add = (uid: string, to: string | null, port: number, kind: 'seen' | 'refused', count: number): void => {
    if (to === null) return
    const from = callerOf(Number(uid))
    const key = `${from}\n${to}`
    const call = calls.get(key) ?? { from, to, port, seen: 0, refused: 0 }
    calls.set(key, { ...call, [kind]: call[kind] + count, ...(kind === 'refused' ? { port } : {}) })
  }
  for (const kind of ['seen', 'refused'] as const) {
    for (const {
      words: [uid = '', address = '', port = ''],
      count,
    } of sets[kind])
      add(uid, routeOf(`${address} ${port}`), Number(port), kind, count)
  }
  for (const {
    words: [uid = '', port = ''],
    count,
  } of sets.refusedPorts)
    add(uid, ownerOf(Number(port)), Number(port), 'refused', count)
  return [...calls.values()].toSorted((a, b) => (`${a.from}\n${a.to}` < `${b.from}\n${b.to}` ? -1 : 1))
}
