import type { ClusterMap, MapEdge, MapNode } from '../../api/map.ts'

/** A drawing that stands alone: colours for light and dark, and no script. */
export function mapSvg({ cluster, size: { width, height }, nodes, edges }: ClusterMap): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(`Services of ${cluster}, and who calls whom`)}</title>`,
    `<style>${style}</style>`,
    '<defs><marker id="end" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8Z" class="head"/></marker></defs>',
    ...edges.map(drawnEdge),
    ...nodes.map(drawnNode),
    '</svg>',
  ].join('\n')
}

const style =
  ':root{color-scheme:light dark}text{font:13px system-ui,sans-serif;fill:light-dark(#191c1a,#e7ebe8)}.second{font-size:11px;fill:light-dark(#636a64,#8d9590)}' +
  'rect{fill:light-dark(#fff,#181c1a);stroke:light-dark(#c6cac2,#3d4541)}path{fill:none;stroke:light-dark(#838b85,#6a736e)}.head{fill:light-dark(#838b85,#6a736e);stroke:none}' +
  '.down rect{stroke:light-dark(#b9281f,#ff8378);stroke-width:2}.partly rect{stroke:light-dark(#8a5a00,#e2b04a);stroke-width:2}.starting rect{stroke:light-dark(#1d56b8,#84adff)}.stopped rect,.outside rect{stroke-dasharray:4 3}' +
  '.undeclared path{stroke:light-dark(#b9281f,#ff8378)}.unused path,.optional path{stroke-dasharray:4 3}'

function drawnNode(node: MapNode): string {
  const { x, y, width, height } = node.box
  const second = node.kind === 'outside' ? 'outside the cluster' : secondLine(node)
  const rect = `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3"/>`
  const name = `<text x="${x + 12}" y="${y + 18}">${escaped(clipped(node.name, 22))}</text>`
  const below = `<text class="second" x="${x + 12}" y="${y + 34}">${escaped(clipped(second, 26))}</text>`
  const kind = node.kind === 'outside' ? 'outside' : node.state
  return `<g class="${kind}"><title>${escaped(node.name)}</title>${rect}${name}${below}</g>`
}

function secondLine({ state, machines, about }: Extract<MapNode, { kind: 'service' }>): string {
  if (state !== 'ready') return machines.length === 0 ? state : `${state}, on ${machines.join(', ')}`
  return about.owner ?? `on ${machines.join(', ')}`
}

function drawnEdge({ from, to, path, mark, optional }: MapEdge): string {
  const kinds = [mark, optional ? 'optional' : null].filter((one) => one !== null)
  const title = [`${from} calls ${to}`, ...kinds].join(', ')
  return `<g class="${kinds.join(' ')}"><title>${escaped(title)}</title><path d="${path}" marker-end="url(#end)"/></g>`
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
