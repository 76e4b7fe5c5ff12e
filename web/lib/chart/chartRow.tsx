import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { newest, valueAt } from './columns.ts'
import type { Chart, Line } from './line.ts'
import { Plot } from './plot.tsx'
import type { Range } from './range.ts'

interface ChartRowProps {
  chart: Chart
  range: Range
  at: readonly number[]
  most: number
  cross: Signal<number | null>
}

const heightPx = 76

/** Name, values and sentence of a chart; beside them its plot. */
export function ChartRow({ chart, range, at, most, cross }: ChartRowProps): JSX.Element {
  const { title, unit, lines, sentence, format } = chart
  return (
    <div class="chart row" role="group" aria-label={title}>
      <div class="label">
        <h3>
          {title}
          {unit === undefined ? null : <span class="unit">{unit}</span>}
        </h3>
        <dl>
          {lines.map((line) => (
            <div key={line.name}>
              <dt>
                <Swatch line={line} /> {line.name}
              </dt>
              <dd>
                <Reading {...{ line, at, cross, format }} />
              </dd>
            </div>
          ))}
        </dl>
        <p class="second">{sentence}</p>
      </div>
      <div class="field">
        <span class="scale whole">{format(most)}</span>
        <span class="scale middle">{format(most / 2)}</span>
        <Plot {...{ range, at, lines, most }} height={heightPx} />
      </div>
    </div>
  )
}

interface ReadingProps {
  line: Line
  at: readonly number[]
  cross: Signal<number | null>
  format: (value: number) => string
}

/** The value at the crosshair, else the newest. Of its own, so that a move of the pointer changes only texts. */
function Reading({ line, at, cross, format }: ReadingProps): JSX.Element {
  const value = cross.value === null ? newest(line.values) : valueAt(line.values, at, cross.value)
  return <>{value === null ? '–' : format(value)}</>
}

function Swatch({ line: { tone, form } }: { line: Line }): JSX.Element {
  return (
    <svg class={`swatch ink-${tone}`} width="18" height="8" viewBox="0 0 18 8" aria-hidden="true">
      {form === 'bars' ? (
        <rect x="2" y="0" width="12" height="8" fill="currentColor" />
      ) : (
        <line
          x1="0"
          x2="18"
          y1="4"
          y2="4"
          stroke="currentColor"
          stroke-width="2"
          stroke-dasharray={form === 'dashed' ? '4 3' : undefined}
        />
      )}
    </svg>
  )
}
