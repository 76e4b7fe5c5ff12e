import { accepted, refuse, type Decision, type Refusal } from '../decision/refuse.ts'
import { reversed } from './advanceRollout.ts'
import type { RolloutCommand } from './commands.ts'
import { keptReleases } from './keptReleases.ts'
import type { State } from './state.ts'

type Command<T extends RolloutCommand['type']> = Extract<RolloutCommand, { type: T }>

export function publishRelease(state: State, command: Command<'PublishRelease'>): Decision {
  const { service, release, definition, bytes, source = null } = command
  if (release in state.releases) return { type: 'nothing' }
  return accepted({
    type: 'ReleasePublished',
    data: { service, release, definition, bytes, ...(source && { source }) },
  })
}

/** Releases that came into use since the collection was planned stay. */
export function collectReleases(state: State, { releases: asked }: Command<'CollectReleases'>): Decision {
  const kept = new Set(keptReleases(state))
  const releases = asked.filter((release) => release in state.releases && !kept.has(release))
  return releases.length === 0 ? { type: 'nothing' } : accepted({ type: 'ReleasesCollected', data: { releases } })
}

export function abortRollout(state: State, { rollout: id }: Command<'AbortRollout'>): Decision {
  const rollout = state.rollouts[id]
  if (!rollout) return refuse('E_NO_SUCH_ROLLOUT', `there is no rollout ${id} in progress`, id, 'tandem rollouts')
  if (rollout.stage === 'finished') return over(id, 'has ended')
  if (rollout.stage === 'returning') return over(id, 'is already going back')
  return accepted(reversed(rollout, 'aborted by hand', null, null, true))
}

const over = (id: string, how: string): Refusal =>
  refuse('E_ROLLOUT_OVER', `rollout ${id} ${how}`, id, `tandem rollout show ${id}`)
