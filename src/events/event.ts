import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Endpoints } from '../protocol/report.ts'

/** A fact that happened, as it is appended. `at` is ISO 8601 with milliseconds, by the controller's clock. */
export type Event = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

/** An event in the log. Positions grow by one, except where a recovery left a gap on purpose. */
export type RecordedEvent = Event & { position: number; at: string }

export type EventType = keyof EventData

export type RolloutKind = 'deploy' | 'rollback' | 'restart' | 'start' | 'stop' | 'remove'
export type Phase = 'fetch' | 'prepare' | 'start' | 'probe' | 'switch' | 'drain' | 'stop'

export type MaintenanceKind = 'reboot' | 'patch'
export type MaintenanceStep = 'drain' | 'work' | 'check' | 'return' | 'done'

/** Runs as root on each machine, by `/bin/sh` or what its first line names. */
export interface MaintenanceScript {
  /** As the person named the file. */
  name: string
  text: string
  /** Milliseconds. */
  withinMs: number
}

/** Where a report came from: events caused by one carry it, so that an older report is known as old after a restart too. */
export interface ReportMark {
  boot: number
  seq: number
}

export type ResolvedRoute =
  | { kind: 'http'; host: string | null; path: string }
  /** Public: at all addresses of every machine. */
  | { kind: 'tcp'; port: number }
  /** At a loopback address of every machine. */
  | { kind: 'local'; carries: 'http' | 'tcp'; address: string; port: number }

export interface EventData {
  /** A controller leads. Deadlines and silences count afresh from here. */
  LeadershipTaken: { term: number; id: string; version: string }
  /** A person said so: the log was lost or older than what machines have seen; what they run is adopted as it is. */
  LogRecovered: { term: number; id: string; version: string; held: DesiredState[] }
  /** The controller's clock jumped or it stalled: deadlines and silences count afresh. */
  ClockRestarted: { reason: string }

  /** The whole of `cluster.yaml` as it now holds. */
  ClusterApplied: { cluster: ClusterDefinition }
  /** No longer of the cluster: nothing is expected of it, and its certificates up to now are refused. */
  MachineRemoved: { machine: string }
  MachineJoined: { machine: string; endpoints: Endpoints }
  MachineMoved: { machine: string; endpoints: Endpoints }
  MachineLost: { machine: string; silentMs: number }
  MachineReturned: { machine: string; mark: ReportMark }
  /** `stop`: once it is drained, what runs there is stopped too. */
  /** `force: false`: only as long as no service is interrupted. */
  MachineDrainStarted: { machine: string; stop?: boolean; force?: boolean }
  /** The other machines no longer forward there: from here its own balancer gives it no new work either. */
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
  /** What is done now about one of its machines. `expected` (what was ready there) and `wasReady` come with `drain`. */
  MaintenanceStepped: {
    maintenance: string
    machine: string
    step: MaintenanceStep
    expected?: string[]
    wasReady?: boolean
  }
  /** It goes no further until a person resumes it. */
  MaintenanceStopped: { maintenance: string; machine: string | null; reason: string }
  /** `force`: it may interrupt services from here on. */
  MaintenanceResumed: { maintenance: string; force?: boolean }
  MaintenanceFinished: { maintenance: string }
  /** A machine was seen to hold a virtual address. `from`: who had it before. */
  AddressTaken: { address: string; machine: string; from: string | null; why: string; mark: ReportMark }
  /** It was seen to hold it no more. */
  AddressReleased: { address: string; machine: string; why: string; mark: ReportMark }
  /** Several machines hold it: `named` goes on, the others give it up. */
  AddressContested: { address: string; named: string; refused: string[] }
  AddressSettled: { address: string; why: string }
  /** It goes back to the machine it prefers, gently. */
  AddressReturnStarted: { address: string; from: string; to: string }
  AddressReturnEnded: { address: string; why: string }
  /** Tandem itself is being changed, part by part, in this order: the machines, then the controller. */
  UpgradeStarted: { upgrade: string; version: string; release: string; parts: UpgradePart[] }
  /** From here a part is to run `release`; `ready`: instances that must be ready again when it is over. */
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
    /** The release asked for; for `stop` and `remove` the one that runs. */
    release: string
    previous: string | null
    routes: ResolvedRoute[]
    /** Every machine with instances now or then, in the order of their turns. */
    machines: string[]
    allowOutage: boolean
    removeData: boolean
  }
  ReleaseFetched: { rollout: string; machine: string; mark: ReportMark }
  PrepareStarted: { rollout: string; machine: string }
  PrepareFinished: { rollout: string; machine: string; mark: ReportMark }
  /** A machine's turn begins: from here its instances of the service change towards `target`. */
  TurnStarted: { rollout: string; service: string; machine: string; direction: Direction; target: Target | null }
  /** Within a turn: what is asked of the machine next. Every change of desired state within a turn is one of these. */
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
  /** `interrupted`: its machine or agent started again and is starting it again; no fault of its release. */
  InstanceFailed: { instance: string; machine: string; reason: string; mark: ReportMark; interrupted?: boolean }
  /** Ready again and steady after a crash loop or missed probes. */
  InstanceRecovered: { instance: string; machine: string; mark: ReportMark }
  InstanceStopped: { instance: string; machine: string; mark: ReportMark }
}

/** A part and what it ran before: where it goes back to. */
export interface UpgradePart {
  part: string
  release: string | null
  version: string
}

/** What a machine should run of a service after its turn; `null` means nothing. */
export interface Target {
  release: string
  generation: string
  instances: number
  strategy: 'overlap' | 'replace'
}

export type Direction = 'forward' | 'back' | 'catchUp'
export type Step = 'start' | 'unforward' | 'switch' | 'drain' | 'stop'
