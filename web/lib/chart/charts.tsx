import { useSignal, type Signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useMemo, useRef } from 'preact/hooks'
import { useCluster } from '../cluster.ts'
import { CopyButton } from '../command.tsx'
import { addKeys, type Key } from '../keys.ts'
import { openCommand } from '../openCommand.ts'
import { address, setQuery } from '../router.ts'
import { clockTime } from '../time.ts'
import { Axis, Marks } from './axis.tsx'
import { niceMost } from './columns.ts'
import { ChartRow } from './chartRow.tsx'
import { ChartTable } from './chartTable.tsx'
import { Crosshair } from './crosshair.tsx'
import type { Chart, Mark } from './line.ts'
import { rangeIn, rangeQuery, type Range } from './range.ts'
import './chart.css'

interface ChartsProps {
  heading: string
  /** All time that there is to see; the address may choose a part of it. */
  whole: Range
  /** The axis counts from here; `null`: it shows the time of the day. */
  zero: number | null
  marks: readonly Mark[]
  /** Times of the values of all charts, and the charts for the span that is shown. */
  charts: (range: Range) => { at: readonly number[]; stepMs: number; charts: readonly Chart[] }
  /** Rows above the charts on the same axis, and the same as a table. */
  rows?: (range: Range) => JSX.Element
  table?: () => JSX.Element
  controls?: ComponentChildren
}

/** Rows and charts over one axis of time: they share the span, the marks and the crosshair, or are all a table. */
export function Charts({ heading, whole, zero, marks, charts, rows, table, controls }: ChartsProps): JSX.Element {
  const id = useId()
  const { contact } = useCluster()
  const cross = useSignal<number | null>(null)
  const { query } = address.value
  const chosen = rangeIn(query, whole)
  const range = chosen ?? whole
  const isTable = query.get('as') === 'table'
  const width = useSignal(900)
  const body = useRef<HTMLDivElement>(null)
  useEffect(() => watchWidth(body.current, width), [width, isTable])
  useEffect(() => {
    const toggle = (): void => setQuery({ as: address.value.query.get('as') === 'table' ? null : 'table' })
    const group = 'Lists and charts'
    const crosshair = (keys: string, does: string): Key => ({
      ...{ keys, does, group },
      run: () => pressCrosshair(body.current, keys),
    })
    return addKeys([
      { keys: 'v', does: 'As a table', group, run: toggle },
      ...[crosshair('ArrowLeft', 'Crosshair back'), crosshair('ArrowRight', 'Crosshair on')],
      ...[crosshair('+', 'Zoom in at the crosshair'), crosshair('-', 'Zoom out')],
    ])
  }, [])
  const shown = useMemo(() => charts(range), [charts, range.from, range.to])
  const zoom = (to: Range | null): void => setQuery(rangeQuery(to))
  return (
    <section class={`charts ${contact.value.state === 'lost' ? 'not-live' : ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{heading}</h2>
        {controls}
        {chosen !== null && (
          <button type="button" class="plain" onClick={() => zoom(null)}>
            {clockTime(range.from)} to {clockTime(range.to)}: show all
          </button>
        )}
        <CopyButton name="copy link to this span">{openCommand(rangeQuery(range))}</CopyButton>
        <button type="button" class="plain" onClick={() => setQuery({ as: isTable ? null : 'table' })}>
          {isTable ? 'as charts' : 'as a table'}
        </button>
      </header>
      {isTable ? (
        <>
          {table?.()}
          <ChartTable at={shown.at} charts={shown.charts} />
        </>
      ) : (
        <div class="over-time" ref={body}>
          <Axis range={range} zero={zero} marks={marks} width={width.value} />
          <Marks range={range} marks={marks} />
          <div class="rows">
            {rows?.(range)}
            {shown.charts.map((chart) => (
              <Row key={chart.title} {...{ chart, range, cross, at: shown.at }} />
            ))}
          </div>
          <Crosshair {...{ whole, range, zero, cross, zoom, ...shown }} />
        </div>
      )}
    </section>
  )
}

/** From anywhere on the page: the crosshair takes the focus, and the key. */
function pressCrosshair(element: HTMLElement | null, key: string): void {
  const ground = element?.querySelector<HTMLElement>('.cross-ground')
  ground?.focus()
  ground?.dispatchEvent(new KeyboardEvent('keydown', { key }))
}

interface RowProps {
  chart: Chart
  range: Range
  at: readonly number[]
  cross: Signal<number | null>
}

function Row({ chart, range, at, cross }: RowProps): JSX.Element {
  const most = niceMost(
    chart.lines.flatMap(({ values }) => values),
    chart.least,
  )
  return <ChartRow {...{ chart, range, at, cross, most }} />
}

/** Keeps the width of the plots: the labels need room. */
function watchWidth(element: HTMLElement | null, width: Signal<number>): (() => void) | undefined {
  const plots = element?.querySelector<HTMLElement>('.cross-ground')
  if (!plots) return undefined
  const observer = new ResizeObserver(() => {
    width.value = plots.clientWidth
  })
  observer.observe(plots)
  return () => observer.disconnect()
}
