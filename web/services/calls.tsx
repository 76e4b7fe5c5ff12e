import type { JSX } from 'preact'
import type { ClusterMap, MapEdge } from '../../src/api/map.ts'
import { useCluster } from '../lib/cluster.ts'
import { countedWords, nodeState, nodeWord, oddWords } from '../lib/edges.ts'
import { Glyph } from '../lib/glyph.tsx'
import { Runbook } from '../lib/runbook.tsx'
import { useMap } from '../lib/useMap.ts'
import { visible } from '../lib/visible.ts'

/** Who calls this service, whom it calls, and who looks after it. */
export function Calls({ service }: { service: string }): JSX.Element {
  const map = useMap()
  const { past } = useCluster()
  return (
    <section aria-labelledby="who-calls">
      <h2 id="who-calls">
        Who calls whom{' '}
        <a class="more" href="/map">
          Map
        </a>
      </h2>
      {past === null ? (
        map.value === null ? null : (
          <Known map={map.value} service={service} />
        )
      ) : (
        <p class="quiet">The calls of then are not recorded.</p>
      )}
    </section>
  )
}

function Known({ map, service }: { map: ClusterMap; service: string }): JSX.Element {
  const own = map.nodes.find(({ name }) => name === service)
  const callers = map.edges.filter(({ to }) => to === service)
  const called = map.edges.filter(({ from }) => from === service)
  return (
    <>
      {own?.kind === 'service' ? <About {...own.about} /> : null}
      <table class="numbers">
        <Rows head="called by" edges={callers} of={({ from }) => from} map={map} />
        <Rows head="calls" edges={called} of={({ to }) => to} map={map} />
      </table>
    </>
  )
}

interface RowsProps {
  head: string
  edges: readonly MapEdge[]
  of: (edge: MapEdge) => string
  map: ClusterMap
}

function Rows({ head, edges, of, map }: RowsProps): JSX.Element {
  const { now } = useCluster()
  return (
    <tbody>
      <tr>
        <th scope="colgroup">{head}</th>
        <th scope="colgroup" class="number">
          connections, 7 days
        </th>
      </tr>
      {edges.length === 0 ? (
        <tr>
          <td class="quiet" colSpan={2}>
            none is declared{map.countedSince === null ? '' : ' or seen'}
          </td>
        </tr>
      ) : null}
      {edges.map((edge) => {
        const node = map.nodes.find(({ name }) => name === of(edge))
        const odd = oddWords(edge)
        return (
          <tr key={`${of(edge)} ${edge.as}`}>
            <td>
              {node?.kind === 'service' ? (
                <>
                  <Glyph state={nodeState(node)} bare={node.state === 'ready'}>
                    {nodeWord(node)}
                  </Glyph>{' '}
                  {node.state === 'missing' ? (
                    node.name
                  ) : (
                    <a href={`/services/${encodeURIComponent(node.name)}`}>{node.name}</a>
                  )}
                </>
              ) : (
                of(edge)
              )}
              {odd === null ? null : (
                <>
                  {' '}
                  <Glyph state="behind">{odd}</Glyph>
                </>
              )}
            </td>
            <td class="number">{node?.kind === 'outside' ? 'not counted' : countedWords(edge.seen, map, now.value)}</td>
          </tr>
        )
      })}
    </tbody>
  )
}

function About({
  owner,
  what,
  runbook,
}: {
  owner: string | null
  what: string | null
  runbook: string | null
}): JSX.Element | null {
  if (owner === null && what === null && runbook === null) return null
  return (
    <p class="second">
      {what === null ? '' : `${visible(what)}. `}
      {owner === null ? '' : `Owner: ${visible(owner)}. `}
      <Runbook runbook={runbook} />
    </p>
  )
}
