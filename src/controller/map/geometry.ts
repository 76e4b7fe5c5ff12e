import type { ClusterMap } from '../../api/map.ts'
import type { Place } from './layout.ts'

type Box = ClusterMap['nodes'][number]['box']

const box = { width: 176, height: 46, between: 104, below: 26, margin: 8 }
/** The arrow's head ends at the box. */
const arrow = 6

export const boxOf = ({ column, row }: Place): Box => ({
  x: box.margin + column * (box.width + box.between),
  y: box.margin + row * (box.height + box.below),
  width: box.width,
  height: box.height,
})

export function sizeOf(places: readonly Place[]): ClusterMap['size'] {
  const boxes = places.map(boxOf)
  return {
    width: Math.max(0, ...boxes.map(({ x, width }) => x + width)) + box.margin,
    height: Math.max(0, ...boxes.map(({ y, height }) => y + height)) + box.margin,
  }
}

/** From the right side of the caller to the left side of the one that it calls, through the places between. */
export function pathOf(from: Place, via: readonly Place[], to: Place): string {
  const { x, y, width, height } = boxOf(from)
  const stops = [from, ...via, to]
  const curves = stops.slice(1).map((stop, index) => curve(stops[index] ?? from, stop, stop === to))
  return `M${x + width} ${y + height / 2}${curves.join('')}`
}

/** To the left side of the next stop, and, where the edge only passes it, on to its right side. */
function curve(from: Place, to: Place, isEnd: boolean): string {
  const [start, end] = [boxOf(from), boxOf(to)]
  const [x1, y1] = [start.x + start.width, start.y + start.height / 2]
  const [x2, y2] = [end.x, end.y + end.height / 2]
  const bend = Math.max(box.between / 2, Math.abs(x2 - x1) / 3)
  return `C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${isEnd ? x2 - arrow : x2} ${y2}${isEnd ? '' : `H${x2 + end.width}`}`
}
