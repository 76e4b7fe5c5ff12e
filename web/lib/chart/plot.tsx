import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { inkOf, useScheme, type Ink } from './ink.ts'
import type { Line } from './line.ts'
import type { Range } from './range.ts'

interface PlotProps {
  range: Range
  /** Times of the values, ms since 1970. */
  at: readonly number[]
  lines: readonly Line[]
  /** The upper end of the scale; the lower one is 0. */
  most: number
  height: number
}

/** The upper part of a plot stays free, for its labels. */
const headroom = 1.12

/** Lines over time on a canvas, which shows nothing to screen readers: a sentence and a table say the same. */
export function Plot({ range, at, lines, most, height }: PlotProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const scheme = useScheme()
  // The plot reads the newest values whenever it draws.
  const shown = useRef({ range, most })
  shown.current = { range, most }
  const kind = lines.map(({ name, tone, form }) => `${name} ${tone} ${form}`).join('\n')

  useEffect(() => {
    const { current: element } = host
    if (!element) return
    const made = new uPlot(
      optionsOf(lines, inkOf(element), shown, element.clientWidth, height),
      dataOf(at, lines),
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
    // The values follow below: another plot is only made for other lines, another scheme or height.
  }, [kind, scheme, height])

  useEffect(() => {
    plot.current?.setData(dataOf(at, lines))
  }, [at, lines, most, range.from, range.to])

  return <div class="plot" ref={host} aria-hidden="true" />
}

const dataOf = (at: readonly number[], lines: readonly Line[]): uPlot.AlignedData => [
  [...at],
  ...lines.map(({ values }) => [...values]),
]

const inks = { act: 'act', old: 'bar-old', ink: 'ink', second: 'ink-3', bad: 'bad' } as const

function optionsOf(
  lines: readonly Line[],
  ink: Ink,
  shown: { current: { range: Range; most: number } },
  width: number,
  height: number,
): uPlot.Options {
  const series = lines.map(({ tone, form }): uPlot.Series => {
    const colour = ink[inks[tone]]
    const bars = uPlot.paths.bars
    return {
      stroke: colour,
      width: form === 'bars' ? 0 : 1.5,
      points: { show: false },
      ...(form === 'dashed' ? { dash: [5, 3] } : {}),
      ...(form === 'bars' && bars ? { fill: colour, paths: bars({ size: [0.8, 12, 1] }) } : {}),
    }
  })
  return {
    ...{ width: Math.max(1, width), height, padding: [0, 0, 0, 0], legend: { show: false }, cursor: { show: false } },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false, range: () => [shown.current.range.from, shown.current.range.to] },
      y: { range: () => [0, shown.current.most * headroom] },
    },
    series: [{}, ...series],
    hooks: { drawClear: [(self) => drawGrid(self, ink, shown.current.most)] },
  }
}

/** Lines at 0, half and whole; their labels are text beside the canvas. */
function drawGrid(self: uPlot, ink: Ink, most: number): void {
  const { ctx, bbox } = self
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  ctx.setLineDash([])
  for (const value of [0, most / 2, most]) {
    const y = Math.round(self.valToPos(value, 'y', true)) - (value === 0 ? ctx.lineWidth : 0) + ctx.lineWidth / 2
    ctx.strokeStyle = value === 0 ? ink.edge : ink.line
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}
