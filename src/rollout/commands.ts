import type { Definition } from '../definitions/definition.ts'
import type { ReleaseSource } from '../events/fleetEvents.ts'
import type { RolloutKind } from '../events/rolloutEvents.ts'
import type { Answered } from './rolloutFeature.ts'

export type RolloutCommand =
  | StartRollout
  | { type: 'AbortRollout'; rollout: string }
  | PublishRelease
  | { type: 'CollectReleases'; releases: string[] }

export interface PublishRelease {
  type: 'PublishRelease'
  service: string
  release: string
  definition: Definition
  bytes: number
  source?: ReleaseSource | null
}

export interface StartRollout {
  type: 'StartRollout'
  rollout: string
  service: string
  kind: RolloutKind
  /** Required for `deploy`; `rollback` without a release picks the newest other release that completed. */
  release: string | null
  allowOutage: boolean
  removeData: boolean
  /** For `rollback`: the pins, by name, that it takes as the release had them last. */
  withFormer?: string[]
  /** Also where that takes something away from services that use this one. */
  force?: boolean
  /** The answers of the machines that are to run the release. Left out: nobody asked them. */
  answered?: Answered
}
