import type { MapEdge, MapNode } from '../../src/api/map.ts'

const box = { width: 176, height: 46, between: 104, below: 26, margin: 8 }

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export const boxOf = ({ place }: Pick<MapNode, 'place'>): Box => ({
  x: box.margin + place.column * (box.width + box.between),
  y: box.margin + place.row * (box.height + box.below),
  width: box.width,
  height: box.height,
})

export function sizeOf(nodes: readonly MapNode[]): { width: number; height: number } {
  const boxes = nodes.map(boxOf)
  return {
    width: Math.max(0, ...boxes.map(({ x, width }) => x + width)) + box.margin,
    height: Math.max(0, ...boxes.map(({ y, height }) => y + height)) + box.margin,
  }
}

/** From the right side of the caller to the left side of the one that it calls. */
export function pathOf({ from, to }: Pick<MapEdge, 'from' | 'to'>, nodes: ReadonlyMap<string, MapNode>): string | null {
  const [one, other] = [nodes.get(from), nodes.get(to)]
  if (!one || !other) return null
  const [start, end] = [boxOf(one), boxOf(other)]
  const [x1, y1] = [start.x + start.width, start.y + start.height / 2]
  const [x2, y2] = [end.x, end.y + end.height / 2]
  const bend = Math.max(box.between / 2, Math.abs(x2 - x1) / 3)
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 6} ${y2}`
}
