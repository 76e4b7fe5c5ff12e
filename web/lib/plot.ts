import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Flag, Range, Series, SeriesTone } from './chartData.ts'
import { onOneAxis } from './chartData.ts'
import { rate } from './numbers.ts'
import { clockTime } from './time.ts'

/** Colours of the lines: custom properties, so that a change of the scheme is a matter of drawing again. */
const colours: Record<SeriesTone | Flag['tone'], string> = {
  ...{ new: '--act', old: '--bar-old', bad: '--bad', warn: '--warn', plain: '--ink-2', act: '--act' },
}

export interface Plotted {
  set: (series: readonly Series[], range: Range, flags: readonly Flag[]) => void
  /** Moves the crosshair to a moment; `null`: takes it away. */
  point: (at: number | null) => void
  destroy: () => void
}

interface Options {
  series: readonly Series[]
  range: Range
  flags: readonly Flag[]
  height: number
  /** The pointer is at this moment; `null`: it left. */
  onPoint: (at: number | null) => void
  /** A part of the range was marked. */
  onRange: (range: Range) => void
}

/** A custom property as the canvas takes it: `light-dark()` and forced colours are resolved by an element. */
function colourOf(host: HTMLElement, property: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${property})`
  host.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Draws lines over time into an element. */
export function plotInto(host: HTMLElement, options: Options): Plotted {
  let { range, flags } = options
  const series = [...options.series]
  const colour = (name: string) => (): string => colourOf(host, name)
  const axis = { stroke: colour('--ink-3'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } }
  const dataOf = (shown: readonly Series[]): uPlot.AlignedData => {
    const { at, columns } = onOneAxis(shown)
    return [at.map((time) => time / 1_000), ...columns]
  }
  const plot = new uPlot(
    {
      ...{ width: host.clientWidth, height: options.height, legend: { show: false }, padding: [8, 8, 0, 0] },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { time: true, range: () => [range.from / 1_000, range.to / 1_000] }, y: { range: aboveZero } },
      axes: [
        { ...axis, size: 28, space: 90, values: (_, times) => times.map((time) => clockTime(time * 1_000)) },
        { ...axis, size: 56, space: 28, values: (_, values) => values.map(rate) },
      ],
      series: [
        {},
        ...series.map(({ name, tone }) => ({
          ...{ label: name, stroke: colour(colours[tone]), width: 1.5, points: { show: false } },
          ...(tone === 'old' ? { dash: [4, 3] } : {}),
        })),
      ],
      hooks: {
        draw: [(self) => drawFlags(self, flags, (tone) => colourOf(host, colours[tone]))],
        setCursor: [
          (self) => {
            const { left = -1, event } = self.cursor
            if (event) options.onPoint(left < 0 ? null : self.posToVal(left, 'x') * 1_000)
          },
        ],
        setSelect: [
          (self) => {
            const { left, width } = self.select
            if (width < 2) return
            options.onRange({ from: self.posToVal(left, 'x') * 1_000, to: self.posToVal(left + width, 'x') * 1_000 })
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          },
        ],
      },
    },
    dataOf(series),
    host,
  )
  const stopWatching = watchLooks(host, plot, options.height)
  return {
    set: (shown, newRange, newFlags) => {
      range = newRange
      flags = newFlags
      plot.setData(dataOf(shown))
    },
    point: (at) => {
      const left = at === null ? -10 : plot.valToPos(at / 1_000, 'x')
      plot.setCursor({ left, top: at === null ? -10 : 1 }, false)
    },
    destroy: () => {
      stopWatching()
      plot.destroy()
    },
  }
}

/** From zero to a little above the highest value, so that charts of one unit compare. */
function aboveZero(_: uPlot, __: number | null, most: number | null): [number, number] {
  return [0, most === null || most <= 0 ? 1 : most * 1.1]
}

function drawFlags(plot: uPlot, flags: readonly Flag[], colour: (tone: Flag['tone']) => string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.setLineDash([3, 3])
  for (const { at, tone } of flags) {
    const x = Math.round(plot.valToPos(at / 1_000, 'x', true)) + 0.5
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = colour(tone)
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** Draws again when the size or the colours change. */
function watchLooks(host: HTMLElement, plot: uPlot, height: number): () => void {
  const resized = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height }))
  resized.observe(host)
  const redraw = (): void => plot.redraw(false, true)
  const switched = new MutationObserver(redraw)
  switched.observe(document.documentElement, { attributes: true, attributeFilter: ['data-scheme'] })
  const media = ['(prefers-color-scheme: dark)', '(forced-colors: active)', 'print'].map((query) => matchMedia(query))
  for (const one of media) one.addEventListener('change', redraw)
  return () => {
    resized.disconnect()
    switched.disconnect()
    for (const one of media) one.removeEventListener('change', redraw)
  }
}
