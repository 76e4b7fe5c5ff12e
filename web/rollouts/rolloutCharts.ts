import type { NumbersSeries, RolloutNumbers } from '../../src/api/numbers.ts'
import { grid, summed, type Column } from '../lib/chart/columns.ts'
import type { Chart, Line } from '../lib/chart/line.ts'
import type { Range } from '../lib/chart/range.ts'
import { rate, grouped } from '../lib/numbers.ts'

type Source = Pick<NumbersSeries | RolloutNumbers, 'instances' | 'balancers'>

interface Given {
  series: NumbersSeries | null
  record: RolloutNumbers | null
  /** Ids of the instances of the new release. */
  fresh: ReadonlySet<string>
  sides: { old: string | null; fresh: string | null }
  /** False: the record is one of the past, and goes up to then. */
  isOver: boolean
}

/** The numbers that reach back furthest into the span: those of the last 15 minutes hold the time before the rollout. */
function sourceOf({ series, record }: Pick<Given, 'series' | 'record'>, range: Range): Source | null {
  const recorded = record !== null && record.instances.length > 0 ? record : null
  if (series === null || recorded === null) return series ?? recorded
  const first = Math.min(...series.instances.map(({ at }) => at[0] ?? Number.POSITIVE_INFINITY))
  const firstRecorded = Math.min(...recorded.instances.map(({ at }) => at[0] ?? Number.POSITIVE_INFINITY))
  return first <= Math.max(range.from, firstRecorded) ? series : recorded
}

/** Requests, errors and work in flight of both releases in a span. */
export function rolloutCharts(given: Given, range: Range): { at: number[]; stepMs: number; charts: Chart[] } {
  const times = grid(range)
  const source = sourceOf(given, range)
  const { fresh, sides } = given
  const of = (isFresh: boolean): Source['instances'] =>
    (source?.instances ?? []).filter(({ instance }) => fresh.has(instance) === isFresh)
  const two = (pick: (one: Source['instances'][number]) => Column): Line[] => [
    ...(sides.fresh === null
      ? []
      : [{ name: sides.fresh, values: summed(of(true).map(pick), times), tone: 'act', form: 'line' } as const]),
    ...(sides.old === null
      ? []
      : [{ name: sides.old, values: summed(of(false).map(pick), times), tone: 'old', form: 'dashed' } as const]),
  ]
  const errors = [
    ...(source?.instances ?? []).map(({ at, errorsPerSecond: values }) => ({ at, values })),
    ...(source?.balancers ?? []).map(({ at, ownErrorsPerSecond: values }) => ({ at, values })),
  ]
  const failed = summed(errors, times)
  const held = summed(
    (source?.balancers ?? []).map(({ at, held: values }) => ({ at, values })),
    times,
  )
  const isHeld = held.some((value) => value !== null && value > 0)
  const requests = two(({ at, perSecond: values }) => ({ at, values }))
  const charts: Chart[] = [
    {
      title: 'Requests/s',
      lines: requests,
      sentence: requestsSentence(given, requests),
      least: 4,
      format: rate,
    },
    {
      ...{ title: 'Errors/s', least: 4, format: rate, sentence: errorsSentence(given, failed) },
      lines: [{ name: 'all', values: failed, tone: 'bad', form: 'bars' }],
    },
    {
      ...{ title: 'In flight', least: 4, format: rate, sentence: 'Requests and connections in progress.' },
      lines: two(({ at, inFlight: values }) => ({ at, values })),
    },
  ]
  if (isHeld) {
    charts.push({
      ...{ title: 'Held', least: 4, format: rate, sentence: 'Requests that waited for an instance.' },
      lines: [{ name: 'all', values: held, tone: 'ink', form: 'line' }],
    })
  }
  return { ...times, charts }
}

const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)
const whole = (count: number): string => grouped(Math.round(count))

/** Requests and errors of a record, exactly. Interim answers are none of a request's own. */
export function totals({ instances, balancers }: RolloutNumbers): { requests: number; errors: number } {
  const own = sum(balancers.map(({ own: answers }) => sum(answers.slice(1))))
  return {
    requests: own + sum(instances.map(({ answers, connections }) => sum(answers.slice(1)) + connections)),
    errors: sum([
      ...instances.map(({ answers, failed }) => answers[4] + failed),
      ...balancers.map(({ own: [, , , , e] }) => e),
    ]),
  }
}

const hasNumbers = (lines: readonly Line[]): boolean =>
  lines.some(({ values }) => values.some((value) => value !== null))

type Recorded = Pick<Given, 'record' | 'isOver'>

const whenOf = ({ isOver }: Recorded): string => (isOver ? 'while it ran' : 'until then')

function requestsSentence(given: Recorded, lines: readonly Line[]): string {
  const { record } = given
  if (record !== null && record.instances.length > 0) return `${whole(totals(record).requests)} ${whenOf(given)}.`
  return hasNumbers(lines) ? 'Answers of instances, and TCP connections.' : 'Not recorded.'
}

function errorsSentence(given: Recorded, values: readonly (number | null)[]): string {
  const { record } = given
  if (record !== null && record.instances.length > 0) {
    const { errors } = totals(record)
    return `${errors === 0 ? 'None' : whole(errors)} ${whenOf(given)}.`
  }
  if (values.every((value) => value === null)) return 'Not recorded.'
  return values.every((value) => value === null || value === 0) ? 'None in this span.' : '5xx, and failed connections.'
}
