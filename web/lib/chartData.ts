import { rate } from './numbers.ts'
import { clockTime } from './time.ts'

export type SeriesTone = 'new' | 'old' | 'bad' | 'warn' | 'plain'

/** One line of a chart. Columns of equal length; times in ms since 1970, rising. */
export interface Series {
  name: string
  tone: SeriesTone
  at: readonly number[]
  /** `null`: nothing is known of that moment. */
  values: readonly (number | null)[]
}

/** A moment that all charts of a group mark, such as the switch to another release. */
export interface Flag {
  at: number
  word: string
  tone: 'act' | 'warn' | 'bad'
}

export interface Range {
  from: number
  to: number
}

/**
 * The series on one column of times. `undefined`: the series has no value at that time of another one, and its line goes
 * on; `null`: its line has a gap.
 */
export function onOneAxis(series: readonly Series[]): { at: number[]; columns: (number | null | undefined)[][] } {
  const at = [...new Set(series.flatMap((one) => [...one.at]))].toSorted((a, b) => a - b)
  const places = new Map(at.map((time, index) => [time, index]))
  const columns = series.map((one) => {
    const column: (number | null | undefined)[] = Array.from({ length: at.length })
    for (const [index, time] of one.at.entries()) column[places.get(time) ?? 0] = one.values[index] ?? null
    return column
  })
  return { at, columns }
}

const known = ({ at, values }: Series, { from, to }: Range): number[] =>
  values.filter((value, index): value is number => value !== null && within(at[index] ?? 0, from, to))

const within = (time: number, from: number, to: number): boolean => time >= from && time <= to

/** The chart in words, for people who do not see it. */
export function sentenceOf(title: string, series: readonly Series[], range: Range): string {
  const parts = series.map((one) => {
    const values = known(one, range)
    const last = values.at(-1)
    if (last === undefined) return `${one.name} is not known`
    return `${one.name} last ${rate(last)}, between ${rate(Math.min(...values))} and ${rate(Math.max(...values))}`
  })
  const when = `from ${clockTime(range.from)} to ${clockTime(range.to)} UTC`
  return `${title} ${when}: ${parts.length === 0 ? 'nothing is known' : parts.join('; ')}.`
}

/** Most rows of the table beside a chart: a person reads no more. */
const mostRows = 120

/** The chart as rows, newest first; of more than `mostRows`, every second, third, … one. */
export function rowsOf(series: readonly Series[], { from, to }: Range): { at: number; values: (number | null)[] }[] {
  const { at, columns } = onOneAxis(series)
  const rows = at.flatMap((time, index) =>
    within(time, from, to) ? [{ at: time, values: columns.map((column) => column[index] ?? null) }] : [],
  )
  const step = Math.ceil(rows.length / mostRows)
  return rows.toReversed().filter((_, index) => index % step === 0)
}

/** The range that an address asks for by `from` and `to` (ISO 8601); else the newest `spanMs`. */
export function rangeIn(query: URLSearchParams, now: number, spanMs: number): Range & { isAsked: boolean } {
  const [from, to] = ['from', 'to'].map((name) => Date.parse(query.get(name) ?? ''))
  const isAsked = from !== undefined && to !== undefined && to - from >= leastMs
  return isAsked ? { from, to, isAsked } : { from: now - spanMs, to: now, isAsked: false }
}

/** Shortest range: two of the points that the controller keeps at its fastest. */
const leastMs = 4_000

/** A part of the range around a moment, for steps of zoom: `factor` below 1 looks closer. */
export function zoomed({ from, to }: Range, around: number, factor: number): Range {
  const span = Math.max(leastMs, (to - from) * factor)
  const share = (Math.min(to, Math.max(from, around)) - from) / (to - from)
  return { from: Math.round(around - span * share), to: Math.round(around + span * (1 - share)) }
}
