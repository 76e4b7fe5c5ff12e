import type { RolloutView } from '../../api/views.ts'

/** A rollout as `--json` prints it. */
interface RolloutResult {
  service: string
  release: string
  previous: string | null
  rollout: Omit<RolloutView, 'service' | 'release' | 'previous'>
}

/** The contract's result of push, deploy, rollback and restart, with a few fields more. */
export function rolloutResult({ service, release, previous, ...rollout }: RolloutView): RolloutResult {
  return { service, release, previous, rollout }
}
