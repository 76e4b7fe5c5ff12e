import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ClusterMap, MapEdge, MapNode } from '../../src/api/map.ts'
import { nodeState, nodeWord } from '../lib/edges.ts'
import { Shape } from '../lib/glyph.tsx'
import { stateOf } from '../lib/states.ts'
import { visible } from '../lib/visible.ts'

/** The map as a drawing. Pointing at a service, or focusing it, shows its own calls only. The tables beside it say the same. */
export function Drawing({ map }: { map: ClusterMap }): JSX.Element {
  const [shown, setShown] = useState<string | null>(null)
  const nodes = new Map(map.nodes.map((node) => [node.name, node]))
  const { width, height } = map.size
  return (
    <div class="map-room" tabIndex={0} role="region" aria-label="map">
      <svg
        class="map"
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        role="group"
        aria-label="services and their calls"
      >
        <defs>
          {['plain', 'odd'].map((kind) => (
            <marker
              key={kind}
              id={`map-${kind}`}
              viewBox="0 0 8 8"
              refX="2"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8Z" class={`head ${kind}`} />
            </marker>
          ))}
        </defs>
        {map.edges.map((edge) => (
          <Edge key={`${edge.from} ${edge.to} ${edge.as}`} edge={edge} nodes={nodes} shown={shown} />
        ))}
        {map.nodes.map((node) => (
          <Node key={node.name} node={node} show={setShown} />
        ))}
      </svg>
    </div>
  )
}

function Edge({
  edge,
  nodes,
  shown,
}: {
  edge: MapEdge
  nodes: ReadonlyMap<string, MapNode>
  shown: string | null
}): JSX.Element {
  const isOdd = edge.mark === 'undeclared' || edge.refused !== null
  const target = nodes.get(edge.to)
  const isDown = target?.kind === 'service' && target.state === 'down'
  const isPale = shown !== null && edge.from !== shown && edge.to !== shown
  const kinds = [
    isOdd || isDown ? 'odd' : null,
    edge.mark === 'unused' || edge.optional ? 'dashed' : null,
    isPale ? 'pale' : null,
  ]
  return (
    <path
      class={`edge ${kinds.filter(Boolean).join(' ')}`}
      d={edge.path}
      marker-end={`url(#map-${isOdd || isDown ? 'odd' : 'plain'})`}
    />
  )
}

function Node({ node, show }: { node: MapNode; show: (name: string | null) => void }): JSX.Element {
  const { x, y, width, height } = node.box
  const over = {
    onMouseEnter: () => show(node.name),
    onMouseLeave: () => show(null),
    onFocusIn: () => show(node.name),
    onFocusOut: () => show(null),
  }
  if (node.kind === 'outside') {
    return (
      <g class="node outside" {...over}>
        <rect x={x} y={y} width={width} height={height} rx="3" />
        <text x={x + 12} y={y + 19}>
          {clipped(node.name, 24)}
        </text>
        <text class="below" x={x + 12} y={y + 35}>
          outside the cluster
        </text>
      </g>
    )
  }
  const state = stateOf(nodeState(node))
  const below =
    node.state === 'ready'
      ? (node.about.owner ?? placesOf(node))
      : `${nodeWord(node)}${node.machines.length === 0 ? '' : `, ${placesOf(node)}`}`
  return (
    <a href={`/services/${encodeURIComponent(node.name)}`} aria-label={`${node.name}, ${nodeWord(node)}`} {...over}>
      <g class={`node tone-${state.tone} ${node.state}`}>
        <rect x={x} y={y} width={width} height={height} rx="3" />
        <svg x={x + 11} y={y + 9} width="12" height="12">
          <Shape shape={state.shape} />
        </svg>
        <text class="name" x={x + 29} y={y + 19}>
          {clipped(node.name, 20)}
        </text>
        <text class="below" x={x + 12} y={y + 36}>
          {clipped(visible(below), 28)}
        </text>
      </g>
    </a>
  )
}

const placesOf = ({ machines }: Extract<MapNode, { kind: 'service' }>): string =>
  machines.length === 0 ? 'on no machine' : `on ${machines.join(', ')}`

const clipped = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)
