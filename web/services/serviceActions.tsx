import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { ReleaseView } from '../../src/api/views.ts'
import { Change } from '../lib/change.tsx'
import { useCluster } from '../lib/cluster.ts'
import { shortRelease } from '../lib/numbers.ts'
import { go } from '../lib/router.ts'
import { visible } from '../lib/visible.ts'
import { sizeOf, type Service } from './serviceWords.ts'

type Body = { kind: 'rollback' | 'restart' | 'start' | 'stop' } | { kind: 'deploy'; release: string }

interface ServiceActionsProps {
  service: Service
  /** Newest first. */
  releases: readonly ReleaseView[]
}

/** Restart, stop or start, roll back, and deploy another release. */
export function ServiceActions({ service, releases }: ServiceActionsProps): JSX.Element | null {
  const { api, past } = useCluster()
  const { service: name, release, state, rollout } = service
  const version = `${name} ${release} ${state} ${rollout?.id} ${rollout?.state}`
  const busy = rollout !== null && rollout.finishedAt === null ? `Not now: rollout ${rollout.id} runs.` : null
  const call = (body: Body) => ({
    refusal: busy,
    version: `${version} ${JSON.stringify(body)}`,
    ask: (signal: AbortSignal) => api.rehearse('startRollout', { body: { service: name, ...body } }, signal),
    run: async () => {
      const answer = await api.call('startRollout', { body: { service: name, ...body } })
      if (answer.rollout !== null) go(`/rollouts/${answer.rollout.id}`)
    },
  })
  const others = releases.filter((one) => !one.collected && one.release !== release)
  const before = others.find(({ completedAt }) => completedAt !== null)
  const isStopped = state === 'stopped'
  if (past !== null) return null
  return (
    <section class="what" aria-labelledby="actions">
      <h2 id="actions">Actions</h2>
      <Change
        label="Roll back"
        title={`Roll back ${name}`}
        sentence={
          before === undefined
            ? 'Rolls to the release before.'
            : `Rolls ${name} to ${shortRelease(before.release)}, one machine at a time. No request is lost.`
        }
        command={`tandem rollback ${name}`}
        {...call({ kind: 'rollback' })}
      />
      <Change
        label="Restart"
        title={`Restart ${name}`}
        sentence={`Replaces ${sizeOf(service)}, one machine at a time. No request is lost.`}
        command={`tandem restart ${name}`}
        {...call({ kind: 'restart' })}
      />
      {isStopped ? (
        <Change
          label="Start"
          title={`Start ${name}`}
          sentence={`Starts ${release === null ? name : shortRelease(release)} on its machines, and routes requests to it.`}
          command={`tandem start ${name}`}
          {...call({ kind: 'start' })}
        />
      ) : (
        <Change
          label="Stop"
          danger
          title={`Stop ${name}`}
          sentence={`Stops ${sizeOf(service)}. Requests in flight are finished; new ones are refused until somebody starts it.`}
          command={`tandem stop ${name}`}
          {...call({ kind: 'stop' })}
        />
      )}
      {others.length > 0 && <Deploy {...{ name, others, call }} />}
    </section>
  )
}

interface DeployProps {
  name: string
  others: readonly ReleaseView[]
  call: (body: Body) => Pick<Parameters<typeof Change>[0], 'version' | 'ask' | 'run' | 'refusal'>
}

function Deploy({ name, others, call }: DeployProps): JSX.Element | null {
  const chosen = useSignal<string | null>(null)
  const release = others.find((one) => one.release === chosen.value) ?? others[0]
  if (release === undefined) return null
  return (
    <>
      <Change
        label="Deploy"
        title={`Deploy ${shortRelease(release.release)} of ${name}`}
        sentence={`Rolls ${name} to ${shortRelease(release.release)}, one machine at a time. No request is lost.`}
        command={`tandem deploy ${name} --release ${shortRelease(release.release)}`}
        {...call({ kind: 'deploy', release: release.release })}
      />
      <p class="choice">
        <label>
          release{' '}
          <select value={release.release} onChange={({ currentTarget: { value } }) => (chosen.value = value)}>
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
