import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Table } from '../lib/table.tsx'
import type { RolloutView } from '../../src/api/views.ts'
import { percentAt, type Range } from '../lib/chart/range.ts'
import { Glyph, Shape } from '../lib/glyph.tsx'
import { stateOf } from '../lib/states.ts'
import type { Step } from './history.ts'
import { lanes, type Span } from './lanes.ts'
import { phaseRows, took, tookAll, type Bar, type PhaseRow } from './phaseRows.ts'
import { machineWord, sidesOf } from './rolloutWords.ts'

type Machine = RolloutView['machines'][number]

export interface WaterfallProps {
  rollout: RolloutView
  steps: readonly Step[]
  range: Range
  now: number
  /** Requests in flight of the instances that drain, by machine. */
  inFlight: Record<string, number>
  /** The longest that a drain lasts; `null`: not known. */
  drainMs: number | null
}

/** From this number on, machines that are done show only their lanes. */
const foldedFrom = 4

/** Who takes requests on each machine, and its phases below. */
export function Waterfall(props: WaterfallProps): JSX.Element {
  return (
    <div class="waterfall">
      <Hatches />
      {props.rollout.machines.map((part) => (
        <MachineRows key={part.machine} part={part} {...props} />
      ))}
    </div>
  )
}

/** Patterns are named by the attribute `fill`: the policy allows no style that holds an address. */
const Hatches = (): JSX.Element => (
  <svg width="0" height="0" class="hatches" aria-hidden="true">
    <defs>
      {(['old', 'act', 'warn'] as const).map((tone) => (
        <pattern
          key={tone}
          id={`hatch-${tone}`}
          class={`ink-${tone}`}
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
        >
          <path d="M-1.5 7.5l9-9M-1.5 1.5l3-3M4.5 7.5l3-3" stroke="currentColor" stroke-width="1.7" fill="none" />
        </pattern>
      ))}
      {(['old', 'act'] as const).map((tone) => (
        <pattern
          key={tone}
          id={`dots-${tone}`}
          class={`ink-${tone}`}
          width="4"
          height="6"
          patternUnits="userSpaceOnUse"
        >
          <rect width="2" height="6" fill="currentColor" />
        </pattern>
      ))}
    </defs>
  </svg>
)

const isCalm = ({ state }: Machine): boolean => state === 'done' || state === 'waiting' || state === 'untouched'

function MachineRows({ part, ...props }: WaterfallProps & { part: Machine }): JSX.Element {
  const { rollout, steps, range, now } = props
  const mayFold = rollout.machines.length >= foldedFrom
  const isFolded = useSignal<boolean | null>(null)
  const folded = mayFold && (isFolded.value ?? isCalm(part))
  const sides = sidesOf(rollout)
  const end = Math.min(range.to, now)
  const given = { steps, machine: part.machine, from: range.from, to: end, hasOld: sides.old !== null }
  const { old, fresh } = lanes(given)
  return (
    <div class="machine" role="group" aria-label={`machine ${part.machine}`}>
      <div class="row lanes">
        <div class="label">
          <b>{part.machine}</b> <Glyph state={machineWord(part)} />
          {mayFold && (
            <button type="button" class="plain" aria-expanded={!folded} onClick={() => (isFolded.value = !folded)}>
              phases
            </button>
          )}
          <span class="sides">
            {sides.old !== null && <code>{sides.old}</code>}
            {sides.fresh !== null && <code>{sides.fresh}</code>}
          </span>
        </div>
        <svg class="lane-room" role="img" aria-label={laneSentence(old, fresh, sides)}>
          {sides.old !== null && <Lane spans={old} range={range} tone="old" y={sides.fresh === null ? 12 : 6} />}
          {sides.fresh !== null && <Lane spans={fresh} range={range} tone="act" y={sides.old === null ? 12 : 19} />}
        </svg>
      </div>
      {folded
        ? null
        : phaseRows(rollout, part, steps).map((row) => <Phase key={row.phase} {...{ row, part }} {...props} />)}
    </div>
  )
}

/** The lanes at their end, in words. */
function laneSentence(old: readonly Span[], fresh: readonly Span[], sides: ReturnType<typeof sidesOf>): string {
  const say = (spans: readonly Span[], name: string | null): string[] => {
    const last = spans.at(-1)
    return last === undefined || name === null
      ? []
      : [`${name} ${{ takes: 'takes', finishes: 'finishes', starts: 'starts: takes no' }[last.part]} requests`]
  }
  const all = [...say(old, sides.old), ...say(fresh, sides.fresh)]
  return all.length === 0 ? 'nothing takes requests' : all.join(', ')
}

interface LaneProps {
  spans: readonly Span[]
  range: Range
  tone: 'old' | 'act'
  y: number
}

const fillOf = {
  takes: () => 'currentColor',
  finishes: (tone: string) => `url(#hatch-${tone})`,
  starts: (tone: string) => `url(#dots-${tone})`,
}

function Lane({ spans, range, tone, y }: LaneProps): JSX.Element {
  return (
    <g class={`ink-${tone}`}>
      {spans.map(({ from, to, part }) => {
        const x = percentAt(range, from)
        return (
          <rect
            key={`${from} ${part}`}
            x={`${x}%`}
            width={`${percentAt(range, to) - x}%`}
            y={y}
            height="6"
            fill={fillOf[part](tone)}
          />
        )
      })}
    </g>
  )
}

const shapeOf = {
  waiting: 'waiting',
  running: 'running',
  done: 'done',
  reverted: 'reverted',
  failed: 'failed',
} as const

function Phase({ row, part, ...props }: WaterfallProps & { row: PhaseRow; part: Machine }): JSX.Element {
  const { range, now } = props
  const { shape, tone } = stateOf(shapeOf[row.state])
  const note = noteOf(row, part, props)
  return (
    <div class="row phase">
      <div class={`label ${row.state === 'waiting' ? 'quiet' : ''}`}>
        <span class={`sign tone-${tone}`}>
          <Shape shape={shape} />
        </span>
        {row.phase}
        <span class="vh">{row.state}</span>
        <span class="took">{row.bars.length === 0 ? (row.note ?? '') : tookAll(row.bars, now)}</span>
      </div>
      <svg class="bar-room" aria-hidden="true">
        {row.bars.map((bar) => (
          <BarShape key={bar.from} {...{ bar, range, now }} isDrain={row.phase === 'drain'} />
        ))}
        {note !== null && <Note {...{ row, range, now, note }} />}
      </svg>
      {note !== null && <span class="vh">{note}</span>}
    </div>
  )
}

function BarShape({
  bar,
  range,
  now,
  isDrain,
}: {
  bar: Bar
  range: Range
  now: number
  isDrain: boolean
}): JSX.Element | null {
  const { from, to, kind } = bar
  if (from > range.to || (to ?? now) < range.from) return null
  const x = percentAt(range, from)
  // Events may be of after the newest tick of the clock here.
  const width = Math.max(0, percentAt(range, to ?? now) - x)
  const isRunning = to === null
  const tone = kind === 'back' ? 'warn' : kind === 'failed' ? 'bad' : isRunning ? 'act' : 'bar'
  const fill = isRunning && isDrain ? `url(#hatch-${kind === 'back' ? 'warn' : 'act'})` : 'currentColor'
  // The stroke keeps a bar of less than a pixel in sight.
  return (
    <rect class={`ink-${tone}`} x={`${x}%`} width={`${width}%`} y="5" height="10" fill={fill} stroke="currentColor" />
  )
}

/** Beyond this share of the axis a note stands before its bar. */
const latePercent = 72

function Note({
  row,
  range,
  now,
  note,
}: {
  row: PhaseRow
  range: Range
  now: number
  note: string
}): JSX.Element | null {
  const last = row.bars.at(-1)
  if (last === undefined) return null
  const end = percentAt(range, last.to ?? now)
  const isLate = end > latePercent
  const x = isLate ? percentAt(range, row.bars[0]?.from ?? last.from) : end
  const tone = row.state === 'failed' ? 'bad' : last.kind === 'back' ? 'warn' : last.to === null ? 'act' : 'quiet'
  return (
    <text class={`note ink-${tone}`} x={`${x}%`} dx={isLate ? -8 : 8} y="14" text-anchor={isLate ? 'end' : 'start'}>
      {note}
    </text>
  )
}

function noteOf(row: PhaseRow, part: Machine, { inFlight, drainMs, now }: WaterfallProps): string | null {
  const open = row.bars.find(({ to }) => to === null)
  if (row.phase === 'drain' && open !== undefined) {
    const work = inFlight[part.machine]
    const left = drainMs === null ? null : Math.max(0, Math.ceil((drainMs - (now - open.from)) / 1_000))
    const limit = left === null ? '' : `, at most ${left} s more`
    return work === undefined ? null : `${work} in flight${limit}`
  }
  return row.bars.length === 0 ? null : row.note
}

/** The same in a table: it also says what bars can only show. */
export function PhaseTable({ rollout, steps, now }: Pick<WaterfallProps, 'rollout' | 'steps' | 'now'>): JSX.Element {
  return (
    <Table
      label="table of machines and phases"
      heads={['machine', 'phase', 'started', 'took', 'state', { hidden: 'note' }]}
    >
      {rollout.machines.flatMap((part) =>
        phaseRows(rollout, part, steps).flatMap((row) =>
          row.bars.map((bar) => (
            <tr key={`${part.machine} ${row.phase} ${bar.from}`}>
              <th scope="row">{part.machine}</th>
              <td>{row.phase}</td>
              <td>{new Date(bar.from).toISOString().slice(11, 23)}</td>
              <td>{took(bar, now)}</td>
              <td>
                {bar.to === null ? 'running' : { forward: 'done', back: 'went back', failed: 'failed' }[bar.kind]}
              </td>
              <td>{bar.kind === 'failed' ? row.note : ''}</td>
            </tr>
          )),
        ),
      )}
    </Table>
  )
}
