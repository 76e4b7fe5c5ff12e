import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition, Route } from '../definitions/definition.ts'

/** A fact that happened, as it is appended. `at` is ISO 8601 with milliseconds, by the controller's clock. */
export type Event = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

/** An event in the log. Positions grow by one, except where a recovery left a gap on purpose. */
export type RecordedEvent = Event & { position: number; at: string }

export type EventType = keyof EventData

export type RolloutKind = 'deploy' | 'rollback' | 'restart' | 'start' | 'stop' | 'remove'
export type Phase = 'fetch' | 'prepare' | 'start' | 'probe' | 'switch' | 'drain' | 'stop'

export type MaintenanceKind = 'reboot' | 'patch'
export type MaintenanceStep = 'drain' | 'work' | 'check' | 'return' | 'done'

/** Runs as root on each machine, with `/bin/sh` or the interpreter that its first line names. */
export interface MaintenanceScript {
  /** The file name that the user gave. */
  name: string
  text: string
  /** Milliseconds. */
  withinMs: number
}

/**
 * The origin of a report. Events caused by a report carry it, so that an older report is recognized also after a
 * restart.
 */
export interface ReportMark {
  boot: number
  seq: number
}

/** Where a machine can be reached. */
export interface Endpoints {
  /** The host under which other machines and users reach this one. */
  host: string
  http: number
  forward: number
  /** `/healthz` and `/metrics`. */
  metrics: number
}

/** The instances and routes of a machine when the log was recovered. */
export interface HeldState {
  machine: string
  drained: boolean
  /** By release id; routes with `expose` are in `declaredRoutes`. */
  definitions: Record<string, Definition>
  declaredRoutes?: Record<string, Route[]>
  instances: {
    id: string
    service: string
    release: string
    slot: number
    generation: string
    traffic: 'active' | 'idle'
  }[]
  routes: HeldRoute[]
  localRoutes?: HeldRoute[]
}

interface HeldRoute {
  service: string
  releases: string[]
  match:
    | { kind: 'http'; host: string | null; path: string }
    /** `address`: the service's own loopback address. */
    | { kind: 'tcp'; port: number; address?: string | null }
    | { kind: 'local'; carries: 'http' | 'tcp'; address: string; port: number }
}

export type ResolvedRoute =
  | { kind: 'http'; host: string | null; path: string }
  /** Public: at all addresses of every machine. */
  | { kind: 'tcp'; port: number }
  /** At a loopback address of every machine. */
  | { kind: 'local'; carries: 'http' | 'tcp'; address: string; port: number }

export interface EventData {
  /** A controller takes leadership. Deadlines and silences count again from here. */
  LeadershipTaken: { term: number; id: string; version: string }
  /**
   * An operator ran the recovery: the log was lost or older than machines have seen; their running instances are
   * adopted unchanged.
   */
  LogRecovered: { term: number; id: string; version: string; held: HeldState[] }
  /** The controller's clock jumped or the controller stalled: deadlines and silences count again from here. */
  ClockRestarted: { reason: string }

  /** The whole content of the applied `cluster.yaml`. */
  ClusterApplied: { cluster: ClusterDefinition }
  /**
   * The machine no longer belongs to the cluster: nothing is expected of it, and its certificates up to now are
   * refused.
   */
  MachineRemoved: { machine: string }
  MachineJoined: { machine: string; endpoints: Endpoints }
  MachineMoved: { machine: string; endpoints: Endpoints }
  MachineLost: { machine: string; silentMs: number }
  MachineReturned: { machine: string; mark: ReportMark }
  /**
   * `stop`: once the machine is drained, its instances are stopped too. `force: false`: only as long as no service is
   * interrupted.
   */
  MachineDrainStarted: { machine: string; stop?: boolean; force?: boolean }
  /** The other machines no longer forward to this one: from here its own balancer gives it no new work either. */
  MachineDrainStepped: { machine: string }
  MachineDrained: { machine: string; work: number }
  MachineReadied: { machine: string }

  MaintenanceStarted: {
    maintenance: string
    kind: MaintenanceKind
    /** In the order of their turns. */
    machines: string[]
    script: MaintenanceScript | null
    /** Each machine is restarted, after its script where there is one. */
    restart: boolean
    allowOutage: boolean
  }
  /**
   * The next step on one of the machines. `expected` (instances that were ready there) and `wasReady` come with
   * `drain`.
   */
  MaintenanceStepped: {
    maintenance: string
    machine: string
    step: MaintenanceStep
    expected?: string[]
    wasReady?: boolean
  }
  /** The maintenance stops until an operator resumes it. */
  MaintenanceStopped: { maintenance: string; machine: string | null; reason: string }
  /** `force`: the maintenance may interrupt services from here on. */
  MaintenanceResumed: { maintenance: string; force?: boolean }
  MaintenanceFinished: { maintenance: string }
  /** A machine was seen to hold a virtual address. `from`: the machine that held it before. */
  AddressTaken: { address: string; machine: string; from: string | null; why: string; mark: ReportMark }
  /** The machine was seen to hold the address no more. */
  AddressReleased: { address: string; machine: string; why: string; mark: ReportMark }
  /** Several machines hold the address: `named` keeps it, the others release it. */
  AddressContested: { address: string; named: string; refused: string[] }
  AddressSettled: { address: string; why: string }
  /** The address returns gently to its preferred machine. */
  AddressReturnStarted: { address: string; from: string; to: string }
  AddressReturnEnded: { address: string; why: string }
  /** Tandem itself is being upgraded, part by part, in this order: the machines, then the controller. */
  UpgradeStarted: { upgrade: string; version: string; release: string; parts: UpgradePart[] }
  /** From here a part should run `release`; `ready`: instances that must be ready again when the turn ends. */
  UpgradeTurnStarted: {
    upgrade: string
    part: string
    direction: 'forward' | 'back'
    release: string | null
    boot: number
    ready: string[]
  }
  UpgradeTurnFinished: {
    upgrade: string
    part: string
    direction: 'forward' | 'back'
    outcome: 'done' | 'failed' | 'lost'
    reason: string | null
  }
  UpgradeReversed: { upgrade: string; reason: string }
  UpgradeFinished: { upgrade: string; state: 'completed' | 'reverted'; reason: string | null }

  ReleasePublished: { service: string; release: string; definition: Definition; bytes: number }
  ReleasesCollected: { releases: string[] }

  /** A service has this loopback address for ever, also when it is removed and comes back. */
  LoopbackAssigned: { service: string; address: string }
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

  InstanceStarted: { instance: string; machine: string; port: number | null; mark: ReportMark }
  InstanceReady: { instance: string; machine: string; port: number | null; mark: ReportMark }
  /**
   * `interrupted`: the machine or its agent restarted and is starting the instance again; the release is not at fault.
   */
  InstanceFailed: { instance: string; machine: string; reason: string; mark: ReportMark; interrupted?: boolean }
  /** Ready again and steady after a crash loop or missed probes. */
  InstanceRecovered: { instance: string; machine: string; mark: ReportMark }
  InstanceStopped: { instance: string; machine: string; mark: ReportMark }
}

/** A part, and the program that it ran before and would return to. */
export interface UpgradePart {
  part: string
  release: string | null
  version: string
}

/** The instances of a service that a machine should run after its turn; `null` means none. */
export interface Target {
  release: string
  generation: string
  instances: number
  strategy: 'overlap' | 'replace'
}

export type Direction = 'forward' | 'back' | 'catchUp'
export type Step = 'start' | 'unforward' | 'switch' | 'drain' | 'stop'
