import type { ClusterMap, MapEdge, MapNode } from '../../src/api/map.ts'

const box = { width: 176, height: 46, between: 104, below: 26, margin: 8 }

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export const boxOf = ({ place }: Placed): Box => ({
  x: box.margin + place.column * (box.width + box.between),
  y: box.margin + place.row * (box.height + box.below),
  width: box.width,
  height: box.height,
})

type Placed = Pick<MapNode, 'place'>

export function sizeOf({ nodes, edges }: Pick<ClusterMap, 'nodes' | 'edges'>): { width: number; height: number } {
  const boxes = [...nodes, ...edges.flatMap(({ via }) => via.map((place) => ({ place })))].map(boxOf)
  return {
    width: Math.max(0, ...boxes.map(({ x, width }) => x + width)) + box.margin,
    height: Math.max(0, ...boxes.map(({ y, height }) => y + height)) + box.margin,
  }
}

/** From the right side of the caller to the left side of the one that it calls, past the nodes between. */
export function pathOf(edge: Pick<MapEdge, 'from' | 'to' | 'via'>, nodes: ReadonlyMap<string, MapNode>): string | null {
  const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)]
  if (!from || !to) return null
  const stops: Placed[] = [from, ...edge.via.map((place) => ({ place })), to]
  const { x, y, width, height } = boxOf(from)
  return `M${x + width} ${y + height / 2}${stops
    .slice(1)
    .map((stop, index) => curve(stops[index] ?? from, stop))
    .join('')}`
}

/** To the left side of the next stop, and, where the edge only passes it, on to its right side. */
function curve(from: Placed, to: Placed): string {
  const [start, end] = [boxOf(from), boxOf(to)]
  const [x1, y1] = [start.x + start.width, start.y + start.height / 2]
  const [x2, y2] = [end.x, end.y + end.height / 2]
  const bend = Math.max(box.between / 2, Math.abs(x2 - x1) / 3)
  const arrow = 'name' in to ? 6 : 0
  return `C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - arrow} ${y2}${'name' in to ? '' : `H${x2 + end.width}`}`
}
