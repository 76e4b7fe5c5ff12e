import type { NumbersSeries } from '../../../src/api/numbers.ts'

/** Time for which points are kept, as the controller keeps them. */
const keptMs = 15 * 60_000

/** `more` holds the points after those of `known`; both stay as they are. */
export function joined(known: NumbersSeries | null, more: NumbersSeries): NumbersSeries {
  if (known === null || known.service !== more.service) return more
  const machine = (one: { machine: string }): string => one.machine
  return {
    service: more.service,
    machines: joinedBy(known.machines, more.machines, machine),
    instances: joinedBy(known.instances, more.instances, ({ instance, machine }) => `${instance} ${machine}`),
    balancers: joinedBy(known.balancers, more.balancers, machine),
  }
}

/** A machine whose newest point is this much older than that of another reports nothing now. */
const silentMs = 30_000

/** Up to this time (ms since 1970) the points of all machines that report are known; `null`: there is none. */
export function knownUntil({ machines, instances }: NumbersSeries): number | null {
  const ends = [...machines, ...instances].flatMap(({ at }) => at.slice(-1))
  const newest = Math.max(...ends)
  return ends.length === 0 ? null : Math.min(...ends.filter((end) => end >= newest - silentMs))
}

interface Columns {
  at: number[]
}

function joinedBy<T extends Columns>(known: readonly T[], more: readonly T[], keyOf: (one: T) => string): T[] {
  const newer = new Map(more.map((one) => [keyOf(one), one]))
  const end = Math.max(0, ...[...known, ...more].map(({ at }) => at.at(-1) ?? 0))
  const all = known.map((one) => {
    const added = newer.get(keyOf(one))
    newer.delete(keyOf(one))
    return added === undefined ? one : appended(one, added)
  })
  return [...all, ...newer.values()].map((one) => without(one, end - keptMs)).filter(({ at }) => at.length > 0)
}

function appended<T extends Columns>(known: T, added: T): T {
  const last = known.at.at(-1) ?? Number.NEGATIVE_INFINITY
  const from = added.at.findIndex((at) => at > last)
  if (from === -1) return known
  return columnwise(known, (name, column) => [...column, ...columnOf(added, name).slice(from)])
}

function without<T extends Columns>(one: T, until: number): T {
  const from = one.at.findIndex((at) => at >= until)
  if (from === 0) return one
  return columnwise(one, (_, column) => (from === -1 ? [] : column.slice(from)))
}

function columnwise<T extends Columns>(one: T, change: (name: string, column: unknown[]) => unknown[]): T {
  const changed = Object.entries(one).map(([name, value]) => [name, Array.isArray(value) ? change(name, value) : value])
  return Object.fromEntries(changed) as T // the same keys, with longer or shorter columns
}

const columnOf = (one: Columns, name: string): unknown[] => {
  const found: unknown = one[name as keyof Columns]
  return Array.isArray(found) ? found : []
}
