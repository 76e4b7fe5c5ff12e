import type { Definition } from '../definitions/definition.ts'
import type { RolloutKind } from '../events/rolloutEvents.ts'

export type RolloutCommand =
  | StartRollout
  | { type: 'AbortRollout'; rollout: string }
  | { type: 'PublishRelease'; service: string; release: string; definition: Definition; bytes: number }
  | { type: 'CollectReleases'; releases: string[] }

export interface StartRollout {
  type: 'StartRollout'
  rollout: string
  service: string
  kind: RolloutKind
  /** Required for `deploy`; `rollback` without a release picks the newest other release that completed. */
  release: string | null
  allowOutage: boolean
  removeData: boolean
}
