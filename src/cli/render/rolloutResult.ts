import type { RolloutView } from '../../api/views.ts'

/** A rollout in the form that `--json` prints. */
interface RolloutResult {
  service: string
  release: string
  previous: string | null
  rollout: Omit<RolloutView, 'service' | 'release' | 'previous'>
}

/** The documented result of push, deploy, rollback and restart, with a few additional fields. */
export function rolloutResult({ service, release, previous, ...rollout }: RolloutView): RolloutResult {
  return { service, release, previous, rollout }
}
