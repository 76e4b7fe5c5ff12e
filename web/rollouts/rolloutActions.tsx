import type { JSX } from 'preact'
import type { RolloutView } from '../../src/api/views.ts'
import { Change } from '../lib/change.tsx'
import { useCluster } from '../lib/cluster.ts'
import { shortRelease } from '../lib/numbers.ts'
import { rolling, serviceChange, versionOf } from '../lib/serviceChanges.ts'
import { abortChange } from './abortChange.ts'
import { isMove } from './history.ts'

/** Abort, roll back, and once it went back: try again; start what it stopped. Each asks the controller first whether it may be. */
export function RolloutActions({ rollout }: { rollout: RolloutView }): JSX.Element | null {
  const { api, overview, past } = useCluster()
  const { service, kind, state, release, finishedAt } = rollout
  const current = overview.value?.services.find((one) => one.service === service)
  const wentBack = state === 'reverted' || state === 'aborted'
  if (past !== null) return null
  return (
    <section class="what" aria-labelledby="what">
      <h2 id="what">Actions</h2>
      {wentBack && isMove(rollout) && (
        <Change
          label="Try again"
          title={`Roll ${service} to ${shortRelease(release)} again`}
          sentence={`Rolls ${shortRelease(release)} again, as it is.`}
          command={`tandem deploy ${service} --release ${shortRelease(release)}`}
          version={current === undefined ? '' : versionOf(current)}
          {...rolling(api, { service, kind: 'deploy', release })}
        />
      )}
      <Change {...abortChange(api, rollout)} />
      {current !== undefined && current.state === 'stopped' && finishedAt !== null && (
        <Change {...serviceChange(api, current, 'start')} />
      )}
      {current !== undefined && kind !== 'stop' && (
        <Change
          {...serviceChange(api, current, 'rollback')}
          {...(finishedAt === null ? { refusal: 'Not now: this rollout runs. Abort does the same.' } : {})}
        />
      )}
    </section>
  )
}
