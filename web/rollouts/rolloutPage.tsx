import type { JSX } from 'preact'
import { useCallback, useMemo } from 'preact/hooks'
import type { NumbersSeries, RolloutNumbers } from '../../src/api/numbers.ts'
import type { Overview } from '../../src/api/overview.ts'
import type { RolloutView } from '../../src/api/views.ts'
import { Charts } from '../lib/chart/charts.tsx'
import type { Mark } from '../lib/chart/line.ts'
import { relative, type Range } from '../lib/chart/range.ts'
import { useSeries } from '../lib/chart/useSeries.ts'
import { useCluster } from '../lib/cluster.ts'
import type { PageProps } from '../lib/feature.ts'
import { Glyph } from '../lib/glyph.tsx'
import { PageFrame } from '../lib/page.tsx'
import { clockTime } from '../lib/time.ts'
import { useDefinition } from '../lib/useDefinition.ts'
import { About } from './about.tsx'
import { newInstances, reversedAt, stepsOf, type Step } from './history.ts'
import { Aside } from './aside.tsx'
import { rolloutCharts } from './rolloutCharts.ts'
import { RolloutActions } from './rolloutActions.tsx'
import { progressOf, sidesOf, stateWords, titleOf } from './rolloutWords.ts'
import { spanOf } from './span.ts'
import { useRecord, useRollout } from './useRollout.ts'
import { PhaseTable, Waterfall } from './waterfall.tsx'
import './rollouts.css'

/** How long the numbers of the last 15 minutes say something about a rollout that is over. */
const recentMs = 14 * 60_000

/** One rollout: live while it runs, afterwards its record at the same address. */
export function RolloutPage({ params }: PageProps): JSX.Element {
  const { overview, now, past } = useCluster()
  const { rollout, events, problem } = useRollout(params['id'] ?? '')
  const steps = useMemo(() => stepsOf(events), [events])
  const isOver = rollout !== null && rollout.finishedAt !== null
  const isRecent = rollout !== null && now.value - Date.parse(rollout.finishedAt ?? rollout.startedAt) < recentMs
  // After the end the numbers need not be read again: they are in the record.
  const isSettled = isOver && now.value - Date.parse(rollout.finishedAt ?? '') > 60_000
  const series = useSeries(rollout?.service ?? null, rollout !== null && (!isOver || (isRecent && !isSettled)))
  const record = useRecord(rollout?.id ?? null, isOver || past !== null)
  if (problem !== null) return <PageFrame title={`No such rollout: ${problem}`} />
  if (rollout === null) return <PageFrame title={`Rollout ${params['id']}`} />
  return (
    <PageFrame
      title={`${titleOf(rollout)}: ${stateWords(rollout, now.value)}`}
      heading={<Heading rollout={rollout} now={now.value} />}
    >
      <div class="rollout-page">
        <Aside {...{ rollout, steps }} overview={overview.value} />
        <OverTime
          {...{ rollout, steps }}
          now={now.value}
          series={series.value}
          record={record.value}
          overview={overview.value}
        />
        <RolloutActions rollout={rollout} />
        <About {...{ rollout, steps }} />
      </div>
    </PageFrame>
  )
}

function Heading({ rollout, now }: { rollout: RolloutView; now: number }): JSX.Element {
  const { id, service, startedAt, finishedAt, state } = rollout
  const title = titleOf(rollout).slice(service.length + 1)
  const times = finishedAt === null ? progressOf(rollout) : `${clockTime(startedAt)} to ${clockTime(finishedAt)}`
  return (
    <span class="rollout-title">
      <span>
        <a href={`/services/${service}`}>{service}</a> <span class="releases">{title}</span>
      </span>
      <span class="said">
        <Glyph state={state}>{stateWords(rollout, now)}</Glyph>
      </span>
      <span class="said second">
        {times === null ? '' : `${times} · `}rollout {id}
      </span>
    </span>
  )
}

interface OverTimeProps {
  rollout: RolloutView
  steps: readonly Step[]
  now: number
  series: NumbersSeries | null
  record: RolloutNumbers | null
  overview: Overview | null
}

function OverTime({ rollout, steps, now, series, record, overview }: OverTimeProps): JSX.Element {
  const { past } = useCluster()
  const sides = sidesOf(rollout)
  const whole = spanOf(rollout, now)
  // The instances that end are drained as their own release says.
  const drainMs = useDefinition(rollout.service, rollout.previous ?? rollout.release)?.drainMs ?? null
  const fresh = useMemo(() => newInstances(steps), [steps])
  const charts = useCallback(
    (range: Range) => rolloutCharts({ series, record, fresh, sides, isOver: rollout.finishedAt !== null }, range),
    [series, record, fresh, sides.old, sides.fresh, rollout.finishedAt, whole.to],
  )
  const given = { rollout, steps, now, inFlight: drainingWork(overview, rollout.service), drainMs }
  return (
    <Charts
      heading="Machines and phases"
      whole={whole}
      zero={Date.parse(rollout.startedAt)}
      marks={marksOf(rollout, steps, now, past !== null)}
      charts={charts}
      rows={(range) => <Waterfall {...given} range={range} />}
      table={() => <PhaseTable {...given} />}
    />
  )
}

/** Start, the first switch, going back, end, and the present while it runs. */
function marksOf({ startedAt, finishedAt }: RolloutView, steps: readonly Step[], now: number, isPast: boolean): Mark[] {
  const back = reversedAt(steps)
  const first = steps.find(({ type, activate }) => type === 'StepStarted' && activate.length > 0)
  return [
    { at: Date.parse(startedAt), text: null, tone: 'quiet' },
    ...(first === undefined ? [] : [{ at: first.at, text: null, tone: 'act' } as const]),
    ...(back === null ? [] : [{ at: back, text: '✕ went back', tone: 'bad' } as const]),
    finishedAt === null
      ? { at: now, text: `${isPast ? 'then' : 'now'}, ${relative(now, Date.parse(startedAt))}`, tone: 'now' }
      : { at: Date.parse(finishedAt), text: null, tone: 'quiet' },
  ]
}

/** Work of the instances that drain, by machine. */
function drainingWork(overview: Overview | null, service: string): Record<string, number> {
  const found: Record<string, number> = {}
  const instances = overview?.services.find((one) => one.service === service)?.instances ?? []
  for (const { id, machine, state } of instances) {
    if (state === 'draining') found[machine] = (found[machine] ?? 0) + (overview?.work[id] ?? 0)
  }
  return found
}
