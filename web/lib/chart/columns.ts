import type { Range } from './range.ts'

/** Each value holds in the interval that ends at its time (ms since 1970). */
export interface Column {
  at: readonly number[]
  values: readonly number[]
}

/** A machine that reports no numbers for longer leaves a gap. */
const longestIntervalMs = 25_000
/** Length of an interval whose beginning is not known. */
const usualIntervalMs = 10_000

/** Ends of equal intervals, of 2 s or longer, that cover a span; the same ones as time passes. */
export function grid({ from, to }: Range, most = 240): { at: number[]; stepMs: number } {
  const steps = [2, 4, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600]
  const stepMs = 1_000 * (steps.find((step) => (to - from) / (step * 1_000) <= most) ?? 7_200)
  const at: number[] = []
  for (let end = Math.ceil(from / stepMs) * stepMs; end <= to; end += stepMs) at.push(end)
  return { at, stepMs }
}

/** The sum of columns over the intervals that end at `ends`: the mean of each where it is known; `null`: none is. */
export function summed(columns: readonly Column[], { at: ends, stepMs }: ReturnType<typeof grid>): (number | null)[] {
  const sums = ends.map((): number | null => null)
  for (const column of columns) {
    for (const [index, mean] of means(column, ends, stepMs).entries()) {
      if (mean !== null) sums[index] = (sums[index] ?? 0) + mean
    }
  }
  return sums
}

function means({ at, values }: Column, ends: readonly number[], stepMs: number): (number | null)[] {
  let next = 0
  return ends.map((end) => {
    const begin = end - stepMs
    while (next < at.length && (at[next] ?? 0) <= begin) next++
    let [weight, sum] = [0, 0]
    for (let index = next; index < at.length; index++) {
      const to = at[index] ?? 0
      const from = startOf(at, index)
      if (from >= end) break
      const share = Math.min(to, end) - Math.max(from, begin)
      if (share <= 0) continue
      weight += share
      sum += share * (values[index] ?? 0)
    }
    return weight > 0 ? sum / weight : null
  })
}

function startOf(at: readonly number[], index: number): number {
  const [before, end] = [at[index - 1], at[index] ?? 0]
  if (before === undefined) {
    const next = at[index + 1]
    return end - (next === undefined ? usualIntervalMs : Math.min(usualIntervalMs, next - end))
  }
  return end - before > longestIntervalMs ? end - usualIntervalMs : before
}

/** The end of a scale: 1, 2, 4, 5, or 8 times a power of ten, at least `least` and the largest value. */
export function niceMost(values: Iterable<number | null>, least: number): number {
  let most = least
  for (const value of values) if (value !== null && value > most) most = value
  const power = 10 ** Math.floor(Math.log10(most))
  const found = [1, 2, 4, 5, 8, 10].find((factor) => factor * power >= most * 0.999)
  return (found ?? 10) * power
}

/** The value at a time; `null`: none is known. */
export function valueAt(values: readonly (number | null)[], ends: readonly number[], at: number): number | null {
  const index = ends.findIndex((end) => end >= at)
  return index === -1 ? null : (values[index] ?? null)
}

/** The newest value that is known. */
export const newest = (values: readonly (number | null)[]): number | null =>
  values.findLast((value) => value !== null) ?? null
