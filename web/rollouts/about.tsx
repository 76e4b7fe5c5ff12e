import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ReleaseView, RolloutView } from '../../src/api/views.ts'
import { useCluster } from '../lib/cluster.ts'
import { bytes, shortRelease } from '../lib/numbers.ts'
import { utcMinute } from '../lib/time.ts'
import { visible } from '../lib/visible.ts'
import { startedBy, type Step } from './history.ts'

/** The facts of a rollout: who, from where, with which release. */
export function About({ rollout, steps }: { rollout: RolloutView; steps: readonly Step[] }): JSX.Element {
  const { id, service, kind, release, machines, startedAt, pins } = rollout
  const published = useRelease(service, release)
  const by = startedBy(steps)
  return (
    <section class="about" aria-labelledby="about">
      <h2 id="about">About</h2>
      <dl class="facts">
        <dt>who</dt>
        <dd>
          {by ?? 'not recorded'}, {kind}
          {steps.length > 0 && (
            <>
              {' '}
              · <a href={`/timeline?rollout=${id}`}>its events</a>
            </>
          )}
        </dd>
        <dt>commit</dt>
        <dd>{published?.source ? <Commit source={published.source} /> : 'not recorded'}</dd>
        <dt>release</dt>
        <dd>
          <code>{shortRelease(release)}</code>
          {published === null
            ? ''
            : `, ${bytes(published.bytes)}, published ${utcMinute(published.publishedAt)}${published.by === null ? '' : ` by ${published.by}`}`}
        </dd>
        {pins?.secrets === undefined ? null : (
          <>
            <dt>secrets</dt>
            <dd>{secretsInWords(pins.secrets)}</dd>
          </>
        )}
        {pins?.config === undefined ? null : (
          <>
            <dt>configuration</dt>
            <dd>{pins.config.version ?? 'defaults'}</dd>
          </>
        )}
        <dt>machines</dt>
        <dd>one at a time: {machines.map(({ machine }) => machine).join(', ')}</dd>
        <dt>started</dt>
        <dd>{utcMinute(startedAt)}</dd>
      </dl>
    </section>
  )
}

/** `shop/db 3`: paths and versions. */
const secretsInWords = (secrets: Record<string, number>): string =>
  Object.entries(secrets)
    .map(([path, version]) => `${path} ${version}`)
    .join(', ')

function Commit({ source: { commit, subject, dirty } }: { source: NonNullable<ReleaseView['source']> }): JSX.Element {
  return (
    <>
      <code>{commit.slice(0, 7)}</code> “{visible(subject)}”{dirty ? ', with changes that were not committed' : ''}
    </>
  )
}

function useRelease(service: string, release: string): ReleaseView | null {
  const { api } = useCluster()
  const found = useSignal<ReleaseView | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    api.call('releases', { query: { service } }, stop.signal).then(
      ({ releases }) => (found.value = releases.find((one) => one.release === release) ?? null),
      () => {}, // the facts of the rollout itself are shown anyway
    )
    return () => stop.abort()
  }, [api, service, release, found])
  return found.value
}
