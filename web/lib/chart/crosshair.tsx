import { useSignal, type Signal } from '@preact/signals'
import type { JSX, TargetedKeyboardEvent, TargetedPointerEvent } from 'preact'
import { useRef } from 'preact/hooks'
import { clockTime } from '../time.ts'
import { valueAt } from './columns.ts'
import type { Chart } from './line.ts'
import { percentAt, relative, zoomed, type Range } from './range.ts'

interface CrosshairProps {
  whole: Range
  range: Range
  zero: number | null
  cross: Signal<number | null>
  zoom: (to: Range | null) => void
  at: readonly number[]
  stepMs: number
  charts: readonly Chart[]
}

/** A drag over fewer pixels is a click. */
const leastDragPx = 6
const pageSteps = 10

/**
 * Lies over all rows: reads the time at the pointer, or steps by keys (arrows, PageUp, PageDown, Home, End), and zooms by
 * dragging, `+` and `-`; Escape shows all again.
 */
export function Crosshair({ whole, range, zero, cross, zoom, at, stepMs, charts }: CrosshairProps): JSX.Element {
  const ground = useRef<HTMLDivElement>(null)
  const drag = useSignal<Range | null>(null)
  const timeAt = (event: { clientX: number }): number => {
    const { left, width } = ground.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width))
    return range.from + share * (range.to - range.from)
  }
  const down = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    cross.value = timeAt(event)
    if (event.button !== 0 || event.pointerType === 'touch') return
    event.currentTarget.setPointerCapture(event.pointerId)
    drag.value = { from: cross.value, to: cross.value }
  }
  const move = (event: TargetedPointerEvent<HTMLDivElement>): void => {
    cross.value = timeAt(event)
    if (drag.value !== null) drag.value = { ...drag.value, to: cross.value }
  }
  const up = (): void => {
    const { value: dragged } = drag
    drag.value = null
    if (dragged === null) return
    const width = ground.current?.clientWidth ?? 1
    const px = (Math.abs(dragged.to - dragged.from) / (range.to - range.from)) * width
    if (px >= leastDragPx) zoom({ from: Math.min(dragged.from, dragged.to), to: Math.max(dragged.from, dragged.to) })
  }
  const pressed = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    const now = cross.value ?? range.to
    const to = stepped(event.key, now, range, stepMs)
    if (to !== null) cross.value = to
    else if (event.key === '+' || event.key === '=') zoom(zoomed(range, now, 0.5, whole))
    else if (event.key === '-') zoom(zoomed(range, now, 2, whole))
    else if (event.key === 'Escape') {
      zoom(null)
      cross.value = null
    } else return
    event.preventDefault()
  }
  const time = cross.value
  const said = textAt(time, zero)
  return (
    <div
      ref={ground}
      class="cross-ground"
      role="slider"
      tabIndex={0}
      aria-label="time that the charts read"
      aria-valuemin={Math.round(range.from / 1_000)}
      aria-valuemax={Math.round(range.to / 1_000)}
      aria-valuenow={Math.round((time ?? range.to) / 1_000)}
      aria-valuetext={time === null ? 'newest values' : [said, ...readings(charts, at, time)].join(', ')}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerLeave={() => {
        if (drag.value === null && document.activeElement !== ground.current) cross.value = null
      }}
      onDblClick={() => zoom(null)}
      onKeyDown={pressed}
      onBlur={() => (cross.value = null)}
    >
      <svg aria-hidden="true">
        {drag.value === null ? null : <Dragged range={range} dragged={drag.value} />}
        {time === null ? null : <Hair percent={percentAt(range, time)} text={said} />}
      </svg>
    </div>
  )
}

function stepped(key: string, now: number, range: Range, stepMs: number): number | null {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -pageSteps, PageUp: pageSteps, ArrowDown: -1, ArrowUp: 1 }
  if (key === 'Home') return range.from
  if (key === 'End') return range.to
  if (!Object.hasOwn(steps, key)) return null
  return Math.min(range.to, Math.max(range.from, now + steps[key as keyof typeof steps] * stepMs))
}

const textAt = (time: number | null, zero: number | null): string => {
  if (time === null) return ''
  return zero === null ? clockTime(time) : `${clockTime(time)}, ${relative(time, zero)}`
}

const readings = (charts: readonly Chart[], at: readonly number[], time: number): string[] =>
  charts.flatMap(({ title, unit, lines, format }) =>
    lines.map(({ name, values }) => {
      const value = valueAt(values, at, time)
      return `${title} ${name} ${value === null ? 'not known' : format(value)}${unit === undefined ? '' : ` ${unit}`}`
    }),
  )

function Dragged({ range, dragged }: { range: Range; dragged: Range }): JSX.Element {
  const [from, to] = [dragged.from, dragged.to].map((at) => percentAt(range, at)).toSorted((a, b) => a - b)
  return <rect class="dragged" x={`${from}%`} width={`${(to ?? 0) - (from ?? 0)}%`} y="0" height="100%" />
}

const [boxPx, characterPx] = [10, 6.6]

function Hair({ percent, text }: { percent: number; text: string }): JSX.Element {
  const x = `${percent}%`
  const width = text.length * characterPx + boxPx
  const isLate = percent > 80
  return (
    <>
      <line class="hair" x1={x} x2={x} y1="0" y2="100%" />
      <svg class="reading" x={x} y="100%">
        <rect x={isLate ? -width - 4 : 4} y="-20" width={width} height="18" rx="3" />
        <text x={isLate ? -width / 2 - 4 : width / 2 + 4} y="-7" text-anchor="middle">
          {text}
        </text>
      </svg>
    </>
  )
}
