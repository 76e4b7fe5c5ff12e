import type { NumbersSeries } from '../../src/api/numbers.ts'
import { grid, summed } from '../lib/chart/columns.ts'
import type { Chart } from '../lib/chart/line.ts'
import type { Range } from '../lib/chart/range.ts'
import { wholePercent } from '../lib/numbers.ts'

/** Processors, memory and disk of a machine, as shares that are in use. */
export function machineCharts(
  series: NumbersSeries | null,
  machine: string,
  range: Range,
): { at: number[]; stepMs: number; charts: Chart[] } {
  const times = grid(range)
  const read = series?.machines.find((one) => one.machine === machine)
  const chart = (title: string, shares: readonly (number | null)[] = []): Chart => {
    const known = shares.flatMap((value, index) => (value === null ? [] : [{ at: read?.at[index] ?? 0, value }]))
    const column = { at: known.map(({ at }) => at), values: known.map(({ value }) => value) }
    const values = summed([column], times)
    const lines = [{ name: machine, values, tone: 'ink', form: 'line' } as const]
    return { title, lines, least: 1, format: wholePercent, sentence: sentenceOf(values) }
  }
  return {
    ...times,
    charts: [chart('Processors', read?.cpu), chart('Memory', read?.memory), chart('Disk', read?.disk)],
  }
}

function sentenceOf(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null)
  const newest = known.at(-1)
  if (newest === undefined) return 'Not reported.'
  return `Between ${wholePercent(Math.min(...known))} and ${wholePercent(Math.max(...known))} in use, ${wholePercent(newest)} at the end.`
}
