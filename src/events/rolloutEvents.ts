import type { ReportMark } from './fleetEvents.ts'

export type RolloutKind = 'deploy' | 'rollback' | 'restart' | 'start' | 'stop' | 'remove'

export type Phase = 'fetch' | 'prepare' | 'start' | 'probe' | 'switch' | 'drain' | 'stop'

export type ResolvedRoute =
  | { kind: 'http'; host: string | null; path: string }
  /** Public: at all addresses of every machine. */
  | { kind: 'tcp'; port: number }
  /** At a loopback address of every machine. */
  | { kind: 'local'; carries: 'http' | 'tcp'; address: string; port: number }

/** The instances of a service that a machine should run after its turn; `null` means none. */
export interface Target {
  release: string
  generation: string
  instances: number
  strategy: 'overlap' | 'replace'
}

export type Direction = 'forward' | 'back' | 'catchUp'

export type Step = 'start' | 'unforward' | 'switch' | 'drain' | 'stop'

/**
 * The things that instances get besides the release, in the versions of the moment in which the rollout began. Each
 * feature declares its own (`declare module`).
 */
export interface Pins {}

export interface RolloutEvents {
  /**
   * A service has this loopback address for ever, also when it is removed and comes back. `port`: on a laptop, where all
   * services share one address, the port at which it answers services that use it.
   */
  LoopbackAssigned: { service: string; address: string; port?: number }
  RolloutStarted: {
    rollout: string
    service: string
    kind: RolloutKind
    /** The requested release; for `stop` and `remove` the running one. */
    release: string
    previous: string | null
    routes: ResolvedRoute[]
    /** Every machine with instances before or after, in the order of their turns. */
    machines: string[]
    allowOutage: boolean
    removeData: boolean
    /** Left out: its instances get nothing besides the release. */
    pins?: Pins
  }
  ReleaseFetched: { rollout: string; machine: string; mark: ReportMark }
  PrepareStarted: { rollout: string; machine: string }
  PrepareFinished: { rollout: string; machine: string; mark: ReportMark }
  /** A machine's turn begins: from here its instances of the service change towards `target`. */
  TurnStarted: { rollout: string; service: string; machine: string; direction: Direction; target: Target | null }
  /** The next step within a turn. Every change of the desired state within a turn is one of these events. */
  StepStarted: {
    service: string
    machine: string
    step: Step
    /** New instances to run, without traffic yet. */
    start: { id: string; slot: number; release: string; generation: string }[]
    /** Instances that take new work from here. */
    activate: string[]
    /** Instances that take no new work from here. */
    retire: string[]
    /** Instances to stop from here. */
    stop: string[]
  }
  TurnFinished: {
    rollout: string
    service: string
    machine: string
    direction: Direction
    outcome: 'done' | 'failed' | 'lost'
    reason: string | null
    /** The instance that failed, where one did. */
    instance: string | null
  }
  MachinePassedOver: { rollout: string; machine: string; reason: string }
  RolloutReversed: {
    rollout: string
    service: string
    reason: string
    machine: string | null
    instance: string | null
    aborted: boolean
  }
  RolloutFinished: {
    rollout: string
    service: string
    state: 'completed' | 'reverted' | 'aborted'
    reason: string | null
  }
  ServiceRemoved: { service: string; data: boolean }
  DataRemoved: { service: string; machine: string; mark: ReportMark }
}

declare module './event.ts' {
  interface EventData extends RolloutEvents {}
}
