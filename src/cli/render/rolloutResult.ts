import type { RolloutView } from '../../api/views.ts'

/** A rollout in the form that `--json` prints. */
export interface RolloutResult {
  service: string
  release: string
  previous: string | null
  /** `null`: there was nothing to do. */
  rollout: Omit<RolloutView, 'service' | 'release' | 'previous'> | null
  /** How to help a rollout that was reverted. */
  hint?: string
}

/** The documented result of push, deploy, rollback and restart, with a few additional fields. */
export function rolloutResult({
  service,
  release,
  previous,
  ...rollout
}: RolloutView): RolloutResult & { rollout: object } {
  return { service, release, previous, rollout }
}
