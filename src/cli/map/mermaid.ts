import type { ClusterMap, MapEdge } from '../../api/map.ts'

/** A flowchart for Markdown. Ids are numbers, and texts are quoted: names of services could be words of Mermaid. */
export function mapMermaid({ nodes, edges }: ClusterMap): string {
  const ids = new Map(nodes.map(({ name }, index) => [name, `n${index}`]))
  const lines = [
    ...nodes.map((node) => {
      const id = ids.get(node.name)
      if (node.kind === 'outside') return `  ${id}(["${quoted(node.name)}"]):::outside`
      const { owner } = node.about
      const text = owner === null ? quoted(node.name) : `${quoted(node.name)}<br/>${quoted(owner)}`
      return `  ${id}["${text}"]${node.state === 'ready' ? '' : `:::${node.state}`}`
    }),
    ...edges.map((edge) => `  ${ids.get(edge.from)} ${arrow(edge)} ${ids.get(edge.to)}`),
    '  classDef outside stroke-dasharray: 4 3',
    '  classDef down stroke:#b9281f,stroke-width:3px',
    '  classDef partly stroke:#8a5a00,stroke-width:3px',
    '  classDef starting stroke:#1d56b8',
    '  classDef stopped stroke-dasharray: 2 2',
  ]
  return `flowchart LR\n${lines.join('\n')}`
}

function arrow({ port, mark, optional }: MapEdge): string {
  const words = [...(port === null ? [] : [String(port)]), ...(mark === null ? [] : [mark])].join(' ')
  const line = optional || mark === 'unused' ? '-.->' : '-->'
  return words === '' ? line : `${line}|${words}|`
}

/** Mermaid reads `#` and a name as an entity. */
const quoted = (text: string): string =>
  text.replaceAll('#', '#35;').replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;')
