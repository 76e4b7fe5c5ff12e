import { clockTime } from '../time.ts'

/** A span of time, in ms since 1970. */
export interface Range {
  from: number
  to: number
}

/** The shortest span that charts show. */
const leastRangeMs = 4_000

/** The part of `whole` that the address names; `null`: all of it. */
export function rangeIn(query: URLSearchParams, whole: Range): Range | null {
  const [from, to] = ['from', 'to'].map((name) => Date.parse(query.get(name) ?? ''))
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to)) return null
  return within({ from, to }, whole)
}

/** For `setQuery`. */
export const rangeQuery = (range: Range | null): Record<'from' | 'to', string | null> => ({
  from: range === null ? null : new Date(Math.round(range.from)).toISOString(),
  to: range === null ? null : new Date(Math.round(range.to)).toISOString(),
})

/** `range` within `whole`; `null`: it holds all of it, or nothing. */
function within(range: Range, whole: Range): Range | null {
  const from = Math.max(range.from, whole.from)
  const to = Math.min(range.to, whole.to)
  if (to - from < leastRangeMs) return null
  return from <= whole.from && to >= whole.to ? null : { from, to }
}

/** `range` shrunk by `factor` (or grown, above 1), so that `at` keeps its place; `null`: all of `whole`. */
export function zoomed(range: Range, at: number, factor: number, whole: Range): Range | null {
  const span = Math.max(leastRangeMs, (range.to - range.from) * factor)
  const share = (at - range.from) / (range.to - range.from)
  const from = Math.max(whole.from, at - span * share)
  return within({ from, to: from + span }, whole)
}

/** From 0 to 100. */
export const percentAt = (range: Range, at: number): number =>
  Math.min(100, Math.max(0, ((at - range.from) / (range.to - range.from)) * 100))

export interface Tick {
  at: number
  text: string
}

const stepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400]
/** The least room of a label, in pixels. */
const leastPx = 76
/** Room of a label, and of the first one with half of its neighbour: it begins at the left end. */
const [labelPx, firstPx] = [56, 78]

interface TickOptions {
  /** Pixels. */
  width: number
  /** Labels count from here: `+15 s`. `null`: they say the time of the day. */
  zero: number | null
  /** Where other labels stand, in pixels from the left end. */
  avoid: readonly { from: number; to: number }[]
}

/** The labels below an axis of time. */
export function ticks(range: Range, { width, zero, avoid }: TickOptions): Tick[] {
  const pxPerMs = width / (range.to - range.from)
  const stepMs = 1_000 * (stepsS.find((step) => step * 1_000 * pxPerMs >= leastPx) ?? 86_400)
  const origin = zero ?? 0
  const isFree = (at: number): boolean => {
    const middle = (at - range.from) * pxPerMs
    const [from, to] = [middle - labelPx / 2, middle + labelPx / 2]
    return middle >= firstPx && to <= width && avoid.every((other) => other.to < from || other.from > to)
  }
  const found: Tick[] = []
  for (let at = origin + Math.ceil((range.from - origin) / stepMs) * stepMs; at <= range.to; at += stepMs) {
    if (isFree(at)) found.push({ at, text: zero === null ? clock(at, stepMs) : relative(at, zero) })
  }
  return found
}

const clock = (at: number, stepMs: number): string => (stepMs < 60_000 ? clockTime(at) : clockTime(at).slice(0, 5))

/** `+15 s`, `+2 min`; the time itself at zero. */
export function relative(at: number, zero: number): string {
  const s = Math.round((at - zero) / 1_000)
  if (s === 0) return clockTime(zero)
  const sign = s < 0 ? '−' : '+'
  const size = Math.abs(s)
  return size >= 120 && size % 60 === 0 ? `${sign}${size / 60} min` : `${sign}${size} s`
}
