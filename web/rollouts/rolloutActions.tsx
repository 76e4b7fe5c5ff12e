import type { JSX } from 'preact'
import type { RolloutView } from '../../src/api/views.ts'
import { Change } from '../lib/change.tsx'
import { useCluster } from '../lib/cluster.ts'
import { shortRelease } from '../lib/numbers.ts'
import { go } from '../lib/router.ts'
import { clockTime } from '../lib/time.ts'
import { isMove } from './history.ts'
import { abortSentence, abortSteps } from './rolloutWords.ts'

/** Abort, roll back, and once it went back: try again. Each asks the controller first whether it may be. */
export function RolloutActions({ rollout }: { rollout: RolloutView }): JSX.Element | null {
  const { api, overview, past } = useCluster()
  const { id, service, state, release, finishedAt } = rollout
  const current = overview.value?.services.find((one) => one.service === service)
  const version = `${id} ${state} ${current?.release} ${current?.rollout?.id} ${current?.state}`
  const start = (body: { kind: 'rollback' } | { kind: 'deploy'; release: string }) => ({
    ask: (signal: AbortSignal) => api.rehearse('startRollout', { body: { service, ...body } }, signal),
    run: async () => {
      const answer = await api.call('startRollout', { body: { service, ...body } })
      if (answer.rollout !== null) go(`/rollouts/${answer.rollout.id}`)
    },
  })
  const over = finishedAt === null ? null : `Not possible: this rollout is over since ${clockTime(finishedAt)}.`
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
          version={version}
          {...start({ kind: 'deploy', release })}
        />
      )}
      <Change
        label="Abort"
        title={`Abort rollout ${id} of ${service}`}
        danger
        sentence={abortSentence(rollout)}
        steps={abortSteps(rollout)}
        command={`tandem rollout abort ${id}`}
        refusal={over}
        version={version}
        ask={(signal) => api.rehearse('abortRollout', { params: { id } }, signal)}
        run={() => api.call('abortRollout', { params: { id } })}
      />
      <Change
        label="Roll back"
        title={`Roll back ${service}`}
        sentence={`Rolls ${service} to the newest other release whose rollout completed. No request is lost.`}
        command={`tandem rollback ${service}`}
        refusal={finishedAt === null ? 'Not now: this rollout runs. Abort does the same.' : null}
        version={version}
        {...start({ kind: 'rollback' })}
      />
    </section>
  )
}
