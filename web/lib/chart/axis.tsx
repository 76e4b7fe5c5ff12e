import type { JSX } from 'preact'
import type { Mark } from './line.ts'
import { percentAt, ticks, type Range } from './range.ts'

interface AxisProps {
  range: Range
  zero: number | null
  marks: readonly Mark[]
  /** Pixels. */
  width: number
}

const isWithin = ({ from, to }: Range, at: number): boolean => at >= from && at <= to

/** Room of a flag's text, in pixels for each of its characters. */
const characterPx = 6.6

/** Labels of the time, and above each mark its flag. */
export function Axis({ range, zero, marks, width }: AxisProps): JSX.Element {
  const flags = marks.filter(({ text, at }) => text !== null && isWithin(range, at))
  const labels = ticks(range, { width, zero, avoid: flags.map((flag) => placeOf(flag, range, width)) })
  const first = { at: range.from, text: new Date(range.from).toISOString().slice(11, 19) }
  return (
    <svg class="axis" height="22" aria-hidden="true">
      <text x="0" y="15">
        {first.text}
      </text>
      {labels.map(({ at, text }) => (
        <text key={at} x={`${percentAt(range, at)}%`} y="15" text-anchor="middle">
          {text}
        </text>
      ))}
      {flags.map((flag) => (
        <Flag key={`${flag.at} ${flag.text}`} {...{ flag, range, width }} />
      ))}
    </svg>
  )
}

/** The flag stands behind its mark, or before it where the room ends. */
function placeOf({ at, text }: Mark, range: Range, width: number): { from: number; to: number; isLate: boolean } {
  const [x, size] = [(percentAt(range, at) * width) / 100, (text?.length ?? 0) * characterPx + 6]
  const isLate = width - x < size
  return isLate ? { from: x - size, to: x, isLate } : { from: x, to: x + size, isLate }
}

function Flag({ flag, range, width }: { flag: Mark; range: Range; width: number }): JSX.Element {
  const { isLate } = placeOf(flag, range, width)
  return (
    <text
      class={`flag ink-${flag.tone}`}
      x={`${percentAt(range, flag.at)}%`}
      y="15"
      dx={isLate ? -4 : 4}
      text-anchor={isLate ? 'end' : 'start'}
    >
      {flag.text}
    </text>
  )
}

/** A line through all rows at each mark. */
export function Marks({ range, marks }: { range: Range; marks: readonly Mark[] }): JSX.Element {
  return (
    <svg class="marks" aria-hidden="true">
      {marks
        .filter(({ at }) => isWithin(range, at))
        .map(({ at, text, tone }) => {
          const x = `${percentAt(range, at)}%`
          return <line key={`${at} ${text}`} class={`ink-${tone}`} x1={x} x2={x} y1="0" y2="100%" />
        })}
    </svg>
  )
}
