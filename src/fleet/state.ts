import type { Asked, Base } from '../decision/base.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Endpoints, ReportMark } from '../events/fleetEvents.ts'

/*
 * The FLEET: which machines there are, what runs on them, and who serves.
 *
 * An INSTANCE is `starting`, then `ready`. It is `failed` while it crashes or misses probes, or, `interrupted`, while
 * its machine itself restarts it (then perhaps ready again). It is `stopping` for good once its stop was sent, and gone
 * from the state when it is reported stopped. A failure counts against its release unless it is an interruption. Its
 * traffic is `idle`, then `active`, then `idle` (retired); a retired instance may become active again until it stops.
 *
 * A MACHINE is in traffic (`ready`), being drained (`unforwarding`, then `draining`: it gives up its own work) or
 * `drained`, and then perhaps runs nothing (`drain --stop`); independently of that, it is lost or not. A maintenance
 * takes machines through these states automatically: src/maintenance/state.ts.
 */
export interface FleetState {
  /** The cluster file that was applied last; `null` where machines join without a file, as on a laptop. */
  cluster: ClusterDefinition | null
  machines: Record<string, Machine>
  /** When each removed machine was last removed, in ms: its certificates from before are refused. */
  removedMachines: Record<string, number>
  releases: Record<string, Release>
  instances: Record<string, Instance>
}

/** The state that the fleet reads; every room that imports the fleet reads it too. `turns` are by `turnKey`. */
export interface FleetWorld extends Base, FleetState {
  turns: Readonly<Record<string, { machine: string; unforwarded: boolean }>>
  rollouts: Readonly<Record<string, { id: string; service: string; stage: string }>>
}

export interface Machine {
  name: string
  endpoints: Endpoints
  lost: boolean
  traffic: 'ready' | 'unforwarding' | 'draining' | 'drained'
  /** While the machine is out of traffic, it also runs nothing. */
  runsNothing: boolean
  /** The machine is taken out of traffic although that interrupts a service. */
  mayInterrupt: boolean
  /** Where and when the current traffic state began. */
  since: Asked
  mark: ReportMark | null
  /** Position of the last step requested of the machine. */
  asked: number
}

export interface Release {
  id: string
  service: string
  definition: Definition
  at: number
}

export interface Instance {
  id: string
  service: string
  machine: string
  slot: number
  release: string
  generation: string
  state: 'starting' | 'ready' | 'failed' | 'stopping'
  started: boolean
  /**
   * `failed` only because its machine or agent restarted: the instance is starting again, and the release is not at
   * fault.
   */
  interrupted: boolean
  traffic: 'idle' | 'active'
  reason: string | null
  port: number | null
  /** Position at which its stop was requested. */
  stopAsked: number | null
}

export const turnKey = (service: string, machine: string): string => `${service}/${machine}`

/** An instance that was just named; its start is requested next. */
export const newInstance = (
  about: Pick<Instance, 'id' | 'service' | 'machine' | 'slot' | 'release' | 'generation'>,
): Instance => ({
  ...about,
  state: 'starting',
  started: false,
  interrupted: false,
  traffic: 'idle',
  reason: null,
  port: null,
  stopAsked: null,
})
