import type { DesiredState } from './desiredState.ts'

/** What a machine says it observes. Older and duplicate ones (by boot, then seq) change nothing. */
export interface Report {
  machine: string
  /** Grows with each start of the agent, also when its disk was wiped: at least the wall clock in ms. */
  boot: number
  seq: number
  version: string
  /** The newest desired state this machine accepted. */
  seen: Seen | null
  /** Set when the controller's desired state was refused. */
  refused: { code: string; message: string } | null
  /** The log position that each driver has applied: a wait ends only on one at or after the position that asked. */
  applied: Applied
  endpoints: Endpoints
  fetched: string[]
  fetchFailures: { release: string; message: string }[]
  instances: ReportedInstance[]
  prepared: { rollout: string; ok: boolean; reason: string }[]
  removedData: string[]
  /** What a driver could not apply, in words: shown, and named as the reason when a deadline passes. */
  problems: string[]
  /** What the supervisor can enforce here. */
  limits: { memory: boolean; cpu: boolean; tasks: boolean; why: string | null }
  /** What this machine runs by, whole; sent only while it refuses the controller, for `tandem controller recover`. */
  held: DesiredState | null
}

export interface Seen {
  term: number
  termId: string
  position: number
}

export interface Applied {
  supervisor: number
  balancer: number
  address: number
}

export interface Endpoints {
  /** How other machines and people reach this one. */
  host: string
  http: number
  forward: number
  /** `/healthz` and `/metrics`. */
  metrics: number
}

export type InstanceState = 'starting' | 'ready' | 'draining' | 'stopped' | 'failed'

export interface ReportedInstance {
  id: string
  service: string
  release: string
  state: InstanceState
  /** Why it is `failed`, or what it is waiting for; in words. */
  reason: string | null
  port: number | null
  pid: number | null
  /** When it entered this state, ISO 8601 by the agent's clock: for display. */
  since: string
  /** How often its process was started again after it ended by itself. */
  restarts: number
  /** True from the first failure after it was ready until it has been ready for a while: one crash loop, not many events. */
  unstable: boolean
  /** Work in flight as the balancer counts it. */
  work: number
  long: number
}
