import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Event, MaintenanceKind, MaintenanceScript, RolloutKind } from '../events/event.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'

/**
 * A request that may be refused. `at` is the controller's wall clock in ms; ids are made outside and come with the
 * command.
 */
export type Command = { at: number } & (
  | { type: 'TakeLeadership'; id: string; version: string }
  | { type: 'RecoverLog'; id: string; version: string; term: number; held: DesiredState[] }
  | { type: 'RestartClock'; reason: string }
  | { type: 'TimePassed' }
  | { type: 'RecordReport'; report: Report }
  | { type: 'PublishRelease'; service: string; release: string; definition: Definition; bytes: number }
  | { type: 'CollectReleases'; releases: string[] }
  | StartRollout
  | { type: 'AbortRollout'; rollout: string }
  | { type: 'DrainMachine'; machine: string; force: boolean; stop?: boolean }
  | { type: 'ReadyMachine'; machine: string }
  | StartMaintenance
  | { type: 'ResumeMaintenance'; force: boolean }
  | { type: 'StopMaintenance' }
  | { type: 'ApplyCluster'; cluster: ClusterDefinition; force: boolean }
)

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

export interface StartMaintenance {
  type: 'StartMaintenance'
  maintenance: string
  kind: MaintenanceKind
  /** In the order of their turns. */
  machines: string[]
  script: MaintenanceScript | null
  restart: boolean
  /** Whether the maintenance may interrupt a service. */
  force: boolean
}

export type Decision =
  | { type: 'accepted'; events: Event[] }
  /** Nothing to do: the requested state already holds. */
  | { type: 'nothing' }
  | Refusal

export interface Refusal {
  type: 'refused'
  code: RefusalCode
  message: string
  subject: string
  next: string
}

export type RefusalCode =
  | 'E_ROLLOUT_IN_PROGRESS'
  | 'E_NO_SUCH_ROLLOUT'
  | 'E_ROLLOUT_OVER'
  | 'E_NO_SUCH_SERVICE'
  | 'E_RELEASE_GONE'
  | 'E_NO_OTHER_RELEASE'
  | 'E_NO_SUCH_MACHINE'
  | 'E_OTHER_CLUSTER'
  | 'E_NO_MACHINE_REACHABLE'
  | 'E_ROUTE_TAKEN'
  | 'E_EXPOSE_UNSAID'
  | 'E_NO_ABILITY'
  | 'E_OUTAGE'
  | 'E_MACHINE_BUSY'
  | 'E_LAST_INSTANCE'
  | 'E_MACHINE_LOST'
  | 'E_NO_MAINTENANCE'
