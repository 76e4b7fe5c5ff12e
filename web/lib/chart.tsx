import { signal, useComputed, useSignal, useSignalEffect, type Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { rowsOf, sentenceOf, zoomed, type Flag, type Range, type Series } from './chartData.ts'
import { rate } from './numbers.ts'
import type { Plotted } from './plot.ts'
import { setQuery } from './router.ts'
import { clockTime } from './time.ts'
import './chart.css'

/** Charts that share the range, the crosshair and the flags. */
export interface ChartGroup {
  range: Range
  flags: readonly Flag[]
  /** The moment of the crosshair, ms since 1970. */
  at: Signal<number | null>
}

/** The charts of a page. The range that a person chooses is in the address. */
export function useChartGroup(range: Range, flags: readonly Flag[]): ChartGroup {
  const at = useMemo(() => signal<number | null>(null), [])
  return { range, flags, at }
}

/** Shows another range: it is in the address, so that the view can be shared; `null`: the newest again. */
export function showRange(range: Range | null): void {
  const iso = (ms: number): string => new Date(Math.round(ms)).toISOString()
  setQuery(range === null ? { from: null, to: null } : { from: iso(range.from), to: iso(range.to) })
}

interface ChartProps {
  title: string
  series: readonly Series[]
  group: ChartGroup
  /** CSS pixels. */
  height?: number
  /** `h3` within a section that has a heading of its own. */
  heading?: 'h2' | 'h3'
}

const usualHeight = 140

/** Lines over time, with their values at the crosshair, a sentence, and the same as a table. */
export function Chart({
  title,
  series,
  group,
  height = usualHeight,
  heading: Heading = 'h2',
}: ChartProps): JSX.Element {
  const isTable = useSignal(false)
  return (
    <figure class="chart">
      <figcaption>
        <Heading>{title}</Heading>
        <Legend series={series} group={group} />
        <button
          type="button"
          class="plain"
          aria-pressed={isTable.value}
          onClick={() => (isTable.value = !isTable.value)}
        >
          as a table
        </button>
      </figcaption>
      <p class="vh">{sentenceOf(title, series, group.range)}</p>
      {isTable.value ? (
        <Table title={title} series={series} range={group.range} />
      ) : (
        <Plot title={title} series={series} group={group} height={height} toTable={() => (isTable.value = true)} />
      )}
    </figure>
  )
}

/** The value at the moment, or the newest one before it. */
function valueAt({ at, values }: Series, moment: number): number | null {
  const index = at.findLastIndex((time) => time <= moment)
  return index < 0 ? null : (values[index] ?? null)
}

const shownValue = (value: number | null): string => (value === null ? '–' : rate(value))

function Legend({ series, group }: { series: readonly Series[]; group: ChartGroup }): JSX.Element {
  const moment = group.at.value ?? group.range.to
  return (
    <dl class="legend">
      {series.map((one) => (
        <div key={one.name} class={`line-${one.tone}`}>
          <dt>{one.name}</dt>
          <dd>{shownValue(valueAt(one, moment))}</dd>
        </div>
      ))}
    </dl>
  )
}

function Table({ title, series, range }: { title: string; series: readonly Series[]; range: Range }): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={`${title} as a table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">time, UTC</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rowsOf(series, range).map(({ at, values }) => (
            <tr key={at}>
              <th scope="row">{clockTime(at)}</th>
              {values.map((value, index) => (
                <td key={series[index]?.name}>{shownValue(value)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface PlotProps extends Required<Omit<ChartProps, 'heading'>> {
  toTable: () => void
}

function Plot({ title, series, group, height, toTable }: PlotProps): JSX.Element {
  const { range, flags, at } = group
  const host = useRef<HTMLDivElement>(null)
  const plotted = useSignal<Plotted | null>(null)
  const names = series.map(({ name, tone }) => `${name} ${tone}`).join('\n')
  useEffect(() => {
    let isGone = false
    // The drawing is loaded with the first chart, so that pages without one stay small.
    void import('./plot.ts').then(({ plotInto }) => {
      if (isGone || host.current === null) return
      const options = { series, range, flags, height, onRange: showRange }
      plotted.value = plotInto(host.current, { ...options, onPoint: (moment) => (at.value = moment) })
    })
    return () => {
      isGone = true
      plotted.peek()?.destroy()
      plotted.value = null
    }
  }, [names, height])
  useEffect(() => {
    plotted.value?.set(series, range, flags)
    plotted.value?.point(at.peek())
  }, [series, range.from, range.to, flags, plotted.value])
  useSignalEffect(() => plotted.value?.point(at.value))
  const said = useComputed(() => {
    const moment = at.value ?? range.to
    const values = series.map((one) => `${one.name} ${shownValue(valueAt(one, moment))}`)
    return `${clockTime(moment)} UTC: ${values.join(', ')}`
  })
  return (
    <div
      class="plot"
      ref={host}
      role="slider"
      tabIndex={0}
      aria-label={`crosshair of ${title}`}
      aria-valuemin={range.from}
      aria-valuemax={range.to}
      aria-valuenow={at.value ?? range.to}
      aria-valuetext={said.value}
      onKeyDown={(event) => {
        if (!pressed(event, series, group, toTable)) return
        event.preventDefault()
        event.stopPropagation()
      }}
    />
  )
}

/** Number of points that PageUp and PageDown step over. */
const page = 10

/** Moves the crosshair or changes the view by a key. False: the key is not one of a chart. */
function pressed({ key }: KeyboardEvent, series: readonly Series[], group: ChartGroup, toTable: () => void): boolean {
  const { range, at } = group
  const times = [...new Set(series.flatMap((one) => [...one.at]))]
    .filter((time) => time >= range.from && time <= range.to)
    .toSorted((a, b) => a - b)
  const present = at.value === null ? times.length - 1 : times.findLastIndex((time) => time <= (at.value ?? 0))
  const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity }[key]
  if (step !== undefined) {
    at.value = times[Math.min(times.length - 1, Math.max(0, present + step))] ?? null
  } else if (key === '+' || key === '-') showRange(zoomed(range, at.value ?? range.to, key === '+' ? 0.5 : 2))
  else if (key === '0') showRange(null)
  else if (key === 'v') toTable()
  else if (key === 'Escape') at.value = null
  else return false
  return true
}
