import type { ApiClient } from '../api/client.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Session } from './session.ts'

/** A change that somebody plans: to the file that would hold, from the one that holds now (`null`: none). */
export interface PlannedChange {
  now: ClusterDefinition | null
  wanted: ClusterDefinition
}

/** The consequences of a change for a feature; `null`: none. */
export interface Consequences {
  /** Keys of the answer with `--json`. */
  result: object
  lines: string[]
}

export type PlanPart = (session: Session, client: ApiClient, change: PlannedChange) => Promise<Consequences | null>
