import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { ReleaseView } from '../../src/api/views.ts'
import { Change } from '../lib/change.tsx'
import { useCluster } from '../lib/cluster.ts'
import { shortRelease } from '../lib/numbers.ts'
import { busyWith, rolling, rollsTo, serviceChange, versionOf } from '../lib/serviceChanges.ts'
import { visible } from '../lib/visible.ts'
import type { Service } from './serviceWords.ts'

interface ServiceActionsProps {
  service: Service
  /** Newest first. */
  releases: readonly ReleaseView[]
}

/** Restart, stop or start, roll back, and deploy another release. */
export function ServiceActions({ service, releases }: ServiceActionsProps): JSX.Element | null {
  const { api, past } = useCluster()
  const others = releases.filter((one) => !one.collected && one.release !== service.release)
  const before = others.find(({ completedAt }) => completedAt !== null)
  if (past !== null) return null
  return (
    <section class="what" aria-labelledby="actions">
      <h2 id="actions">Actions</h2>
      <Change {...serviceChange(api, service, 'rollback', before?.release)} />
      <Change {...serviceChange(api, service, 'restart')} />
      {service.state === 'stopped' ? (
        <Change key="start" {...serviceChange(api, service, 'start')} />
      ) : (
        <Change key="stop" {...serviceChange(api, service, 'stop')} />
      )}
      {others.length > 0 && <Deploy {...{ service, others }} />}
    </section>
  )
}

function Deploy({ service, others }: { service: Service; others: readonly ReleaseView[] }): JSX.Element | null {
  const { api } = useCluster()
  const chosen = useSignal<string | null>(null)
  const found = others.find((one) => one.release === chosen.value) ?? others[0]
  if (found === undefined) return null
  const { service: name } = service
  const { release } = found
  return (
    <>
      <Change
        label="Deploy"
        title={`Deploy ${shortRelease(release)} of ${name}`}
        sentence={rollsTo(name, release)}
        command={`tandem deploy ${name} --release ${shortRelease(release)}`}
        refusal={busyWith(service)}
        version={`${versionOf(service)} ${release}`}
        {...rolling(api, { service: name, kind: 'deploy', release })}
      />
      <p class="choice">
        <label>
          release{' '}
          <select value={release} onChange={({ currentTarget: { value } }) => (chosen.value = value)}>
            {others.map((one) => (
              <option key={one.release} value={one.release}>
                {shortRelease(one.release)} {one.source === null ? '' : visible(one.source.subject)}
              </option>
            ))}
          </select>
        </label>
      </p>
    </>
  )
}
