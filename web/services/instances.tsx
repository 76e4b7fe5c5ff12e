import type { JSX } from 'preact'
import { Table } from '../lib/table.tsx'
import type { Overview } from '../../src/api/overview.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Glyph } from '../lib/glyph.tsx'
import { rate, shortRelease } from '../lib/numbers.ts'
import { span } from '../lib/time.ts'
import { accessWords, shownState, type Service } from './serviceWords.ts'

/** The instances by machine, with the way to the lines of each. */
export function Instances({ service, overview }: { service: Service; overview: Overview }): JSX.Element {
  const { now } = useCluster()
  const { service: name, instances } = service
  const shown = instances
    .filter(({ state }) => state !== 'stopped')
    .toSorted((one, other) => one.machine.localeCompare(other.machine) || one.id.localeCompare(other.id))
  return (
    <section aria-labelledby="instances">
      <h2 id="instances">
        Instances{' '}
        <a class="more" href={`/logs/${name}`}>
          Logs
        </a>
      </h2>
      {shown.length === 0 ? (
        <p class="quiet">None runs.</p>
      ) : (
        <Table
          label="instances"
          heads={['machine', 'state', 'release', { number: 'age' }, { number: 'in flight' }, 'lines']}
        >
          {shown.map((one) => (
            <tr key={one.id}>
              <th scope="row">{one.machine}</th>
              <td>
                <Glyph state={shownState(one)} bare={shownState(one) === 'ready'} />
                {one.reason === null ? null : <span class="second"> {one.reason}</span>}
              </td>
              <td>
                <code>{shortRelease(one.release)}</code>
              </td>
              <td class="number">{one.since === null ? '–' : span(now.value - Date.parse(one.since))}</td>
              <td class="number">{workOf(overview, one.id)}</td>
              <td>
                <a
                  href={`/logs/${name}?instance=${encodeURIComponent(one.id)}`}
                  aria-label={`${one.state === 'failed' ? 'last lines' : 'lines'} of ${one.id}`}
                >
                  {one.state === 'failed' ? 'last lines' : 'lines'}
                </a>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {service.behind.length > 0 && (
        <p class="tone-warn">
          {service.behind.join(' and ')} {service.behind.length === 1 ? 'runs' : 'run'} another release
        </p>
      )}
    </section>
  )
}

/** The past holds no work. */
function workOf({ work }: Overview, instance: string): string {
  const many = work[instance]
  return many === undefined ? '–' : rate(many)
}

/** The routes, and who may reach each. */
export function Routes({ service }: { service: Service }): JSX.Element {
  const { service: name, routes, access } = service
  return (
    <section aria-labelledby="routes">
      <h2 id="routes">Routes</h2>
      {routes.length === 0 && <p class="quiet">None: no requests come to {name}.</p>}
      <dl class="facts wide">
        {(access ?? []).map((one) => (
          <>
            <dt>
              <code>{one.route}</code>
            </dt>
            <dd>
              {accessWords(one)}
              {one.unsaid && <span class="tone-warn">, because its definition does not set `expose`</span>}
            </dd>
          </>
        ))}
        {access === undefined &&
          routes.map((route) => (
            <>
              <dt>
                <code>{route}</code>
              </dt>
              <dd>not reported</dd>
            </>
          ))}
      </dl>
      <p class="second">
        <Command>{`tandem status ${name}`}</Command>
      </p>
    </section>
  )
}
