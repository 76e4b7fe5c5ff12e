import type { JSX } from 'preact'
import type { ClusterMap, MapNode } from '../../src/api/map.ts'
import { useCluster } from '../lib/cluster.ts'
import { Runbook } from '../lib/runbook.tsx'
import { Command } from '../lib/command.tsx'
import { countedWords, nodeState, nodeWord, oddWords } from '../lib/edges.ts'
import { Glyph } from '../lib/glyph.tsx'
import { PageFrame } from '../lib/page.tsx'
import { Table } from '../lib/table.tsx'
import { shortTime } from '../lib/time.ts'
import { useMap } from '../lib/useMap.ts'
import { visible } from '../lib/visible.ts'
import { Drawing } from './drawing.tsx'
import './map.css'
import { mapTitle } from './mapWords.ts'

/** Services, who calls whom, and who looks after them. */
export function MapPage(): JSX.Element {
  const map = useMap()
  const { past } = useCluster()
  if (past !== null) return <PageFrame title="The map of then is not recorded" />
  if (map.value === null) return <PageFrame title="Map" />
  const { nodes } = map.value
  const services = nodes.filter((node) => node.kind === 'service')
  if (services.length === 0) return <PageFrame title="No services yet" />
  return (
    <PageFrame title={mapTitle(map.value)}>
      <Drawing map={map.value} />
      <div class="map-tables">
        <Calls map={map.value} />
        <Services services={services} />
      </div>
    </PageFrame>
  )
}

function Calls({ map }: { map: ClusterMap }): JSX.Element {
  const { now } = useCluster()
  const { edges, countedSince } = map
  return (
    <section aria-labelledby="calls">
      <h2 id="calls">Calls</h2>
      {edges.length === 0 ? (
        <p class="quiet">
          No definition names a service that it <code>uses</code>.
        </p>
      ) : (
        <Table label="calls" heads={['caller', 'calls', { number: 'port' }, 'connections', 'remarks']}>
          {edges.map((edge) => {
            const { from, to, port, seen, optional } = edge
            const odd = oddWords(edge)
            return (
              <tr key={`${from} ${to} ${edge.as}`}>
                <th scope="row">{from}</th>
                <td>{to}</td>
                <td class="number">{port ?? '–'}</td>
                <td>{to.includes(':') ? 'not counted' : countedWords(seen, map, now.value)}</td>
                <td>
                  {odd === null ? null : <Glyph state="behind">{odd}</Glyph>} {optional ? 'optional' : ''}
                </td>
              </tr>
            )
          })}
        </Table>
      )}
      <p class="quiet">
        {countedSince === null
          ? 'Connections are not counted on this cluster: the calls are those of the definitions.'
          : `Connections of the last 7 days, counted since ${shortTime(countedSince, now.value)}.`}
      </p>
      <Command>{'tandem map --svg > map.svg'}</Command>
    </section>
  )
}

function Services({ services }: { services: readonly Extract<MapNode, { kind: 'service' }>[] }): JSX.Element {
  return (
    <section aria-labelledby="map-services">
      <h2 id="map-services">Services</h2>
      <Table label="services" heads={['service', 'state', 'owner', 'about']}>
        {services.map((node) => (
          <tr key={node.name}>
            <th scope="row">
              {node.state === 'missing' ? (
                node.name
              ) : (
                <a href={`/services/${encodeURIComponent(node.name)}`}>{node.name}</a>
              )}
            </th>
            <td>
              <Glyph state={nodeState(node)} bare={node.state === 'ready'}>
                {nodeWord(node)}
              </Glyph>
            </td>
            <td>{node.about.owner === null ? '–' : visible(node.about.owner)}</td>
            <td>
              {node.about.what === null ? '' : visible(node.about.what)} <Runbook runbook={node.about.runbook} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
