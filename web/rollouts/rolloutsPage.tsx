import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Table } from '../lib/table.tsx'
import { useEffect } from 'preact/hooks'
import type { RolloutView } from '../../src/api/views.ts'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { count } from '../lib/numbers.ts'
import { PageFrame } from '../lib/page.tsx'
import { address, setQuery } from '../lib/router.ts'
import { shortTime, span } from '../lib/time.ts'
import { duration, machineWord, progressOf, titleOf } from './rolloutWords.ts'
import './rollouts.css'

const mostRead = 200

/** All rollouts: those that run first, then the history, newest first. */
export function RolloutsPage(): JSX.Element {
  const { overview, now, past: then } = useCluster()
  const service = address.value.query.get('service')
  const history = useHistory(service)
  const running = (overview.value?.services ?? []).flatMap(({ rollout }) =>
    rollout !== null && rollout.finishedAt === null && (service === null || rollout.service === service)
      ? [rollout]
      : [],
  )
  const past = history?.filter(({ id, finishedAt }) => finishedAt !== null && !running.some((one) => one.id === id))
  const title =
    running.length === 0
      ? `No rollout ${then === null ? 'runs' : 'ran'}.`
      : `${count(running.length, 'rollout')} ${then !== null ? 'ran' : running.length === 1 ? 'runs' : 'run'}.`
  const services = [...new Set((overview.value?.services ?? []).map((one) => one.service))]
  return (
    <PageFrame title={service === null ? title : `${service}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`}>
      <div class="rollouts-page">
        <p class="filter">
          <label>
            service{' '}
            <select
              value={service ?? ''}
              onChange={({ currentTarget: { value } }) => setQuery({ service: value === '' ? null : value })}
            >
              <option value="">all</option>
              {services.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        </p>
        {past === undefined && running.length === 0 ? null : (
          <Table label="rollouts" class="rollouts" heads={['rollout', 'state', 'started', 'took', 'machines', 'why']}>
            {[...running, ...(past ?? [])].map((rollout) => (
              <Row key={rollout.id} rollout={rollout} now={now.value} />
            ))}
          </Table>
        )}
        {past?.length === 0 && running.length === 0 && (
          <p class="quiet">Nothing was rolled yet. tandem push rolls a release.</p>
        )}
        {history !== null && history.length >= mostRead && (
          <p class="second">
            The newest {mostRead}. Older ones: <a href="/timeline">timeline</a>, or{' '}
            <code>tandem rollouts --limit 1000</code>
          </p>
        )}
      </div>
    </PageFrame>
  )
}

function Row({ rollout, now }: { rollout: RolloutView; now: number }): JSX.Element {
  const { id, state, startedAt, finishedAt, machines, reason } = rollout
  const from = Date.parse(startedAt)
  return (
    <tr>
      <th scope="row">
        <a href={`/rollouts/${id}`}>{titleOf(rollout)}</a> <span class="quiet mono">{id}</span>
      </th>
      <td>
        <Glyph state={state} />
      </td>
      <td>
        <time dateTime={startedAt}>{shortTime(from, now)}</time>
      </td>
      <td class="number">{finishedAt === null ? span(now - from) : duration(Date.parse(finishedAt) - from)}</td>
      <td class="parts">
        {machines.map((part) => (
          <span key={part.machine}>
            {part.machine} <Glyph state={machineWord(part)} bare={part.state === 'done'} />
          </span>
        ))}
      </td>
      <td class="why">{finishedAt === null ? progressOf(rollout) : reason}</td>
    </tr>
  )
}

/** Read again whenever a rollout begins or ends. */
function useHistory(service: string | null): RolloutView[] | null {
  const { api, overview, contact } = useCluster()
  const history = useSignal<RolloutView[] | null>(null)
  const version = overview.value?.services.map(({ rollout }) => rollout?.id ?? '').join(' ')
  const isLive = contact.value.state === 'live'
  useEffect(() => {
    if (!isLive) return
    const stop = new AbortController()
    const query = { limit: mostRead, ...(service === null ? {} : { service }) }
    api.call('rollouts', { query }, stop.signal).then(
      ({ rollouts }) => (history.value = rollouts.toReversed()),
      () => {}, // the live mark says that the controller does not answer
    )
    return () => stop.abort()
  }, [api, service, version, isLive, history])
  return history.value
}
