import type { ClusterMap, MapEdge, MapNode } from '../../api/map.ts'

const box = { width: 168, height: 44, between: 96, below: 28, margin: 24 }

/** A drawing that stands alone: colours for light and dark, and no script. */
export function mapSvg({ cluster, nodes, edges }: ClusterMap): string {
  const columns = Math.max(0, ...nodes.map(({ place }) => place.column)) + 1
  const rows =
    Math.max(0, ...[...nodes.map(({ place }) => place), ...edges.flatMap(({ via }) => via)].map(({ row }) => row)) + 1
  const width = 2 * box.margin + columns * box.width + (columns - 1) * box.between
  const height = 2 * box.margin + rows * box.height + (rows - 1) * box.below
  const known = new Map(nodes.map((node) => [node.name, node]))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(`Services of ${cluster}, and who calls whom`)}</title>`,
    `<style>${style}</style>`,
    '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8Z" class="head"/></marker></defs>',
    ...edges.map((edge) => drawnEdge(edge, known)),
    ...nodes.map(drawnNode),
    '</svg>',
  ].join('\n')
}

const style =
  ':root{color-scheme:light dark}text{font:13px system-ui,sans-serif;fill:light-dark(#191c1a,#e7ebe8)}.second{font-size:11px;fill:light-dark(#636a64,#8d9590)}' +
  'rect{fill:light-dark(#fff,#181c1a);stroke:light-dark(#c6cac2,#3d4541)}path{fill:none;stroke:light-dark(#838b85,#6a736e)}.head{fill:light-dark(#838b85,#6a736e);stroke:none}' +
  '.down rect{stroke:light-dark(#b9281f,#ff8378);stroke-width:2}.partly rect{stroke:light-dark(#8a5a00,#e2b04a);stroke-width:2}.starting rect{stroke:light-dark(#1d56b8,#84adff)}.stopped rect,.outside rect{stroke-dasharray:4 3}' +
  '.undeclared path{stroke:light-dark(#b9281f,#ff8378)}.unused path,.optional path{stroke-dasharray:4 3}'

type Placed = Pick<MapNode, 'place'>
const left = ({ place }: Placed): number => box.margin + place.column * (box.width + box.between)
const top = ({ place }: Placed): number => box.margin + place.row * (box.height + box.below)
const middle = (placed: Placed): number => top(placed) + box.height / 2

function drawnNode(node: MapNode): string {
  const [x, y] = [left(node), top(node)]
  const second = node.kind === 'outside' ? 'outside the cluster' : secondLine(node)
  const rect = `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="3"/>`
  const name = `<text x="${x + 12}" y="${y + 18}">${escaped(clipped(node.name, 22))}</text>`
  const below = `<text class="second" x="${x + 12}" y="${y + 34}">${escaped(clipped(second, 26))}</text>`
  const kind = node.kind === 'outside' ? 'outside' : node.state
  return `<g class="${kind}"><title>${escaped(node.name)}</title>${rect}${name}${below}</g>`
}

function secondLine({ state, machines, about }: Extract<MapNode, { kind: 'service' }>): string {
  if (state !== 'ready') return machines.length === 0 ? state : `${state}, on ${machines.join(', ')}`
  return about.owner ?? `on ${machines.join(', ')}`
}

/** From the right side of the caller to the left side of the callee; an edge that goes back bends below. */
function drawnEdge(edge: MapEdge, nodes: ReadonlyMap<string, MapNode>): string {
  const [from, to] = [nodes.get(edge.from), nodes.get(edge.to)]
  if (!from || !to) return ''
  const kinds = [edge.mark, edge.optional ? 'optional' : null].filter((one) => one !== null)
  const title = [`${edge.from} calls ${edge.to}`, ...kinds].join(', ')
  const stops = [from, ...edge.via.map((place) => ({ place })), to]
  const curves = stops.slice(1).map((stop, index) => curve(stops[index] ?? from, stop))
  const line = `<path d="M${left(from) + box.width} ${middle(from)}${curves.join('')}" marker-end="url(#end)"/>`
  return `<g class="${kinds.join(' ')}"><title>${escaped(title)}</title>${line}</g>`
}

/** To the left side of the next stop, and, where the edge only passes it, on to its right side. */
function curve(from: Placed, to: Placed): string {
  const [x1, y1] = [left(from) + box.width, middle(from)]
  const [x2, y2] = [left(to), middle(to)]
  const bend = Math.max(box.between / 2, Math.abs(x2 - x1) / 3)
  const passes = 'name' in to ? '' : `H${x2 + box.width}`
  return `C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}${passes}`
}

const clipped = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** Text of other people: nothing of it becomes markup. */
const escaped = (text: string): string =>
  text
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
