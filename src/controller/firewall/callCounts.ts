import { z } from 'zod'
import type { Report } from '../../protocol/report.ts'

const hourMs = 3_600_000
const keptHours = 7 * 24
/** Most pairs of a caller and a service; further ones are not counted. */
const mostPairs = 5_000

const hourSchema = z.object({ hour: z.int(), seen: z.int(), refused: z.int() })
const timesSchema = z.object({ first: z.int(), last: z.int() }).nullable()
const pairSchema = z.object({
  from: z.string(),
  to: z.string(),
  /** Connections of each hour that had some, the oldest first; an hour is a number of hours since 1970. */
  hours: z.array(hourSchema),
  seen: timesSchema,
  refused: timesSchema,
})
/** The newest sums of a machine, by pair: they only grow, until its table is made again. */
const sumsSchema = z.record(z.string(), z.object({ seen: z.int(), refused: z.int() }))

export const countsSchema = z.object({
  /** In milliseconds; `null`: no machine has counted. */
  since: z.int().nullable(),
  pairs: z.record(z.string(), pairSchema),
  machines: z.record(z.string(), sumsSchema),
})
export type CallCounts = z.infer<typeof countsSchema>

export const noCounts: CallCounts = { since: null, pairs: {}, machines: {} }

const keyOf = ({ from, to }: { from: string; to: string }): string => `${from} > ${to}`

/** The counts with a machine's newest sums. Connections of a week ago are forgotten. */
export function withReport(
  counts: CallCounts,
  { machine, firewall }: Pick<Report, 'machine' | 'firewall'>,
  now: number,
): CallCounts {
  const isCounting = firewall.state === 'observing' || firewall.state === 'enforcing'
  const before = counts.machines[machine] ?? {}
  const pairs: CallCounts['pairs'] = { ...counts.pairs }
  for (const call of firewall.calls) {
    const key = keyOf(call)
    const last = before[key] ?? { seen: 0, refused: 0 }
    const [seen, refused] = [grown(last.seen, call.seen), grown(last.refused, call.refused)]
    const known = pairs[key]
    if (seen + refused === 0 || (known === undefined && Object.keys(pairs).length >= mostPairs)) continue
    pairs[key] = added(known ?? { ...call, hours: [], seen: null, refused: null }, seen, refused, now)
  }
  const sums = Object.fromEntries(
    firewall.calls.map((call) => [keyOf(call), { seen: call.seen, refused: call.refused }]),
  )
  return {
    since: counts.since ?? (isCounting ? now : null),
    pairs: Object.fromEntries(Object.entries(pairs).flatMap(([key, pair]) => recent(key, pair, now))),
    machines: { ...counts.machines, [machine]: sums },
  }
}

/** A sum that is smaller than the one before began again at zero. */
const grown = (before: number, now: number): number => (now >= before ? now - before : now)

function added({ from, to, hours, ...times }: CallCounts['pairs'][string], seen: number, refused: number, now: number) {
  const hour = Math.floor(now / hourMs)
  const last = hours.at(-1)
  const isSame = last?.hour === hour
  const sum = { hour, seen: seen + (isSame ? last.seen : 0), refused: refused + (isSame ? last.refused : 0) }
  const until = (count: number, known: { first: number; last: number } | null) =>
    count === 0 ? known : { first: known?.first ?? now, last: now }
  return {
    ...{ from, to, hours: [...(isSame ? hours.slice(0, -1) : hours), sum] },
    ...{ seen: until(seen, times.seen), refused: until(refused, times.refused) },
  }
}

function recent(key: string, pair: CallCounts['pairs'][string], now: number): [string, CallCounts['pairs'][string]][] {
  const hours = pair.hours.filter(({ hour }) => hour > Math.floor(now / hourMs) - keptHours)
  return hours.length === 0 ? [] : [[key, hours.length === pair.hours.length ? pair : { ...pair, hours }]]
}

interface Counted {
  count: number
  first: string
  last: string
}

export interface CountedCall {
  from: string
  to: string
  seen: Counted | null
  refused: Counted | null
}

/** Every pair with its connections of the last week. */
export function callsIn({ pairs }: CallCounts): CountedCall[] {
  const counted = (pair: CallCounts['pairs'][string], kind: 'seen' | 'refused'): Counted | null => {
    const count = pair.hours.reduce((sum, one) => sum + one[kind], 0)
    const times = pair[kind]
    if (count === 0 || times === null) return null
    return { count, first: new Date(times.first).toISOString(), last: new Date(times.last).toISOString() }
  }
  return Object.values(pairs)
    .map((pair) => ({ from: pair.from, to: pair.to, seen: counted(pair, 'seen'), refused: counted(pair, 'refused') }))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}
