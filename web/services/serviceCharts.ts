import type { NumbersSeries } from '../../src/api/numbers.ts'
import type { ChangeView } from '../../src/api/overview.ts'
import type { RolloutView } from '../../src/api/views.ts'
import { grid, summed, type Column } from '../lib/chart/columns.ts'
import type { Chart, Line, Mark } from '../lib/chart/line.ts'
import type { Range } from '../lib/chart/range.ts'
import { rate, shortRelease } from '../lib/numbers.ts'

/** More machines are drawn as one line: so many lines would look alike. */
const mostLines = 3
const looks = [
  { tone: 'ink', form: 'line' },
  { tone: 'second', form: 'dashed' },
  { tone: 'act', form: 'line' },
] as const

type Instance = NumbersSeries['instances'][number]

/** Requests, errors and work in flight of a service, by machine. */
export function serviceCharts(
  series: NumbersSeries | null,
  range: Range,
): { at: number[]; stepMs: number; charts: Chart[] } {
  const times = grid(range)
  const { instances = [], balancers = [] } = series ?? {}
  const machines = [...new Set(instances.map(({ machine }) => machine))].toSorted()
  const lines = (pick: (one: Instance) => Column): Line[] => {
    if (machines.length === 0 || machines.length > mostLines) {
      return [{ name: 'all machines', values: summed(instances.map(pick), times), ...looks[0] }]
    }
    return machines.map((machine, index) => ({
      name: machine,
      values: summed(instances.filter((one) => one.machine === machine).map(pick), times),
      ...(looks[index] ?? looks[0]),
    }))
  }
  const errors = summed(
    [
      ...instances.map(({ at, errorsPerSecond: values }) => ({ at, values })),
      ...balancers.map(({ at, ownErrorsPerSecond: values }) => ({ at, values })),
    ],
    times,
  )
  const held = summed(
    balancers.map(({ at, held: values }) => ({ at, values })),
    times,
  )
  const requests = lines(({ at, perSecond: values }) => ({ at, values }))
  const charts: Chart[] = [
    { title: 'Requests/s', lines: requests, sentence: rangeSentence(requests), least: 4, format: rate },
    {
      ...{ title: 'Errors/s', least: 4, format: rate, sentence: errorsSentence(errors, times.at) },
      lines: [{ name: 'all', values: errors, tone: 'bad', form: 'bars' }],
    },
    {
      ...{ title: 'In flight', least: 4, format: rate, sentence: 'Requests and connections in progress.' },
      lines: lines(({ at, inFlight: values }) => ({ at, values })),
    },
  ]
  if (held.some((value) => value !== null && value > 0)) {
    charts.push({
      ...{ title: 'Held', least: 4, format: rate, sentence: 'Requests that waited for an instance.' },
      lines: [{ name: 'all', values: held, tone: 'ink', form: 'line' }],
    })
  }
  return { ...times, charts }
}

function rangeSentence(lines: readonly Line[]): string {
  const sums = (lines[0]?.values ?? []).flatMap((_, index) => {
    const known = lines.map(({ values }) => values[index] ?? null).filter((value) => value !== null)
    return known.length === 0 ? [] : [known.reduce((all, one) => all + one, 0)]
  })
  if (sums.length === 0) return 'Not reported.'
  const [least, most] = [Math.min(...sums), Math.max(...sums)]
  return least === most ? `${rate(most)} in all.` : `Between ${rate(least)} and ${rate(most)} in all.`
}

function errorsSentence(values: readonly (number | null)[], at: readonly number[]): string {
  if (values.every((value) => value === null)) return 'Not reported.'
  const first = values.findIndex((value) => value !== null && value > 0)
  if (first === -1) return 'None in this span.'
  const time = at[first]
  return time === undefined ? '' : `First at ${new Date(time).toISOString().slice(11, 19)}.`
}

/** Where releases changed, and where instances failed. */
export function marksOf(history: readonly RolloutView[], changes: readonly ChangeView[], range: Range): Mark[] {
  const isShown = ({ at }: Mark): boolean => at >= range.from && at <= range.to
  const releases = history.flatMap((rollout): Mark[] => {
    const { kind, release, state, startedAt, finishedAt } = rollout
    const wentBack = (state === 'reverted' || state === 'aborted') && finishedAt !== null
    const name = kind === 'deploy' || kind === 'rollback' ? shortRelease(release) : kind
    return [
      { at: Date.parse(startedAt), text: name, tone: 'act' },
      ...(wentBack ? [{ at: Date.parse(finishedAt), text: '✕ went back', tone: 'warn' } as const] : []),
    ]
  })
  const failures = changes
    .filter(({ type }) => type === 'InstanceFailed')
    .map(({ at, machine }): Mark => ({ at: Date.parse(at), text: `✕ ${machine ?? ''} fails`, tone: 'bad' }))
  // Flags that stand too close cover each other: of those only the newest has its text.
  const all = [...releases, ...failures].filter(isShown).toSorted((one, other) => other.at - one.at)
  const room = (range.to - range.from) / 6
  const shown: Mark[] = []
  for (const mark of all) {
    const isFree = shown.every(({ at, text }) => text === null || Math.abs(at - mark.at) > room)
    shown.push(isFree ? mark : { ...mark, text: null })
  }
  return shown
}
