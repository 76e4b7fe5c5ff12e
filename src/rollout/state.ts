import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Direction, EventData, ReportMark, ResolvedRoute, RolloutKind, Step, Target } from '../events/event.ts'
import type { Maintenance } from './maintenanceState.ts'
import type { TermRecord } from '../protocol/desiredState.ts'
import type { Endpoints } from '../protocol/report.ts'

/*
 * The state on which rollouts are decided: a fold of the event log, nothing else.
 *
 * A ROLLOUT moves one service to a target and passes through these stages:
 *   fetching   The machines that are to run the service fetch the release. Entered by RolloutStarted; `stop` and
 *              `remove` skip it.
 *   preparing  One machine runs `prepare` once. Entered by PrepareStarted, left by PrepareFinished.
 *   turns      The machines take their turns, one at a time, in order: machines that run no instance yet, machines that
 *              run the service, machines that the service leaves. Entered by the first TurnStarted or PrepareFinished,
 *              left when the last turn has finished.
 *   returning  Something failed, or an operator aborted: the failing machine and all machines before it take a turn
 *              back, the last one first; machines where the old release serves come before machines that it leaves.
 *              Entered by RolloutReversed from any of the above; no earlier stage follows it.
 *   finished   RolloutFinished: completed (from turns), reverted or aborted (from returning).
 *
 * A machine's part in a rollout is `waiting` until its turn, `running` during it, then `done`. It is `lost` when the
 * machine is silent and passed over. Going back, it is `reverted`, or `failed` when the old release did not start (the
 * serving instances stay, and the machine is left alone until it returns or until the next rollout) or when the machine
 * did not answer in time (it catches up once it has answered). It is `untouched` when the rollout went back before its
 * turn, and `behind` when the machine returned and could not catch up.
 *
 * A TURN changes one service on one machine towards its target, one step at a time (planStep.ts). Its direction is
 * `forward`, `back`, or `catchUp` (outside a rollout: for a machine that returned, joined or answered again; it begins
 * once the machine has the release and has done the last step requested of it). Each step changes the desired state of
 * the machine, and ends when a report at or after its position shows that it is done, or when its deadline passes
 * (waits.ts):
 *   start      New instances run without traffic; ends when all are ready, fails when one fails.
 *   unforward  The other machines stop forwarding to this one; ends when each reachable machine has acknowledged.
 *   switch     New instances take traffic and old ones stop taking it, at once; ends when the balancer has
 *              acknowledged.
 *   drain      Nothing changes; ends when the retired instances have no work left, or when their drain deadline passes.
 *   stop       Retired instances are stopped; ends when the machine reports that they are gone.
 * A deadline that passes ends a turn as failed. Going back, peers that do not stop forwarding are passed over, and an
 * old release that does not start is given up (`gaveUp`) where something else serves; otherwise it takes traffic
 * unready.
 *
 * An INSTANCE is `starting`, then `ready`. It is `failed` while it crashes or misses probes, or, `interrupted`, while
 * its machine itself restarts it (then perhaps ready again). It is `stopping` for good once its stop was sent, and gone
 * from the state when it is reported stopped. A failure counts against its release unless it is an interruption. Its
 * traffic is `idle`, then `active`, then `idle` (retired); a retired instance may become active again until it stops.
 *
 * A virtual ADDRESS has the holder that was seen to take it last (addressFacts.ts), machines that are refused it while
 * two machines held it, and perhaps a machine that it is returning to (advanceAddresses.ts).
 *
 * A MACHINE is in traffic (`ready`), being drained (`unforwarding`, then `draining`: it gives up its own work) or
 * `drained`, and then perhaps runs nothing (`drain --stop`); independently of that, it is lost or not. For the
 * operation that takes machines through these states automatically, see maintenanceState.ts.
 */
export interface State {
  config: Config
  position: number
  terms: TermRecord[]
  /** When deadlines and silences began to count again: at the last start, clock jump or stall. Milliseconds. */
  clockSince: number
  /** Position of that event: waits from before it count from there. */
  clockPosition: number
  /** The cluster file that was applied last; `null` where machines join without a file, as on a laptop. */
  cluster: ClusterDefinition | null
  machines: Record<string, Machine>
  /**
   * The upgrade of Tandem itself in progress, now at the part `at`: where that is a machine, turns hold at their next
   * step.
   */
  upgrade: { id: string; at: string | null } | null
  /** When each removed machine was last removed, in ms: its certificates from before are refused. */
  removedMachines: Record<string, number>
  releases: Record<string, Release>
  services: Record<string, Service>
  instances: Record<string, Instance>
  /** By `turnKey(service, machine)`; at most one each. */
  turns: Record<string, Turn>
  /** The running rollouts, and the last finished one of each service. */
  rollouts: Record<string, Rollout>
  /** The routes of a generation's instances, while any of them is left. Keyed by rollout id. */
  generations: Record<string, Generation>
  /** The running maintenance, or the last one. */
  maintenance: Maintenance | null
  /** Virtual addresses that any machine was ever seen to hold. */
  addresses: Record<string, AddressState>
  /** The loopback address of each service that ever had a local route; kept for ever. */
  loopbacks: Record<string, string>
  /** Machines that still have to remove a removed service's data. */
  removedData: Record<string, string[]>
}

export interface AddressState {
  /** The machine that was last seen to take the address, and has not been seen to release it. */
  holder: string | null
  since: Asked
  /** All machines that were seen to take it and not to release it: more than one while they do not hear each other. */
  holders: string[]
  /** The machine that held it before. */
  from: string | null
  /** Why it moved, or why no machine holds it; in words. */
  why: string
  /** Machines that also held it while `holder` was named. */
  refused: string[]
  contestedSince: Asked | null
  /** Set while the address is on its way back to its preferred machine. */
  returning: { from: string; to: string; since: Asked } | null
  /** When the address was last sent back; ms. */
  triedAt: number
  /** When the machines that held it at once were last reported to reach each other again; ms. */
  settledAt: number
}

export interface Config {
  cluster: string
  /** On a laptop every http service also answers at SERVICE.localhost. */
  laptop: boolean
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

/** A point in the log that a wait counts from. */
export interface Asked {
  position: number
  at: number
}

export interface Release {
  id: string
  service: string
  definition: Definition
  at: number
}

export interface Service {
  name: string
  current: { release: string; generation: string } | null
  stopped: boolean
  /** The running rollout. */
  rollout: string | null
  lastRollout: string | null
  /** Releases whose rollout completed, oldest first, at most `completedKept`. */
  completed: string[]
  /** Machines that could not catch up with the current generation. */
  behind: string[]
  /**
   * Machines where going back failed too: the instances that serve there stay until the next rollout, or until they
   * return.
   */
  leftAlone: string[]
}

export interface Generation {
  service: string
  release: string
  routes: ResolvedRoute[]
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

export interface Turn {
  rollout: string
  service: string
  machine: string
  direction: Direction
  target: Target | null
  /** The other machines do not forward to this machine until it serves again. */
  unforwarded: boolean
  /** Going back, the serving instances stay: this instance of the old release did not start again, and was stopped. */
  gaveUp: string | null
  /** Position of the turn's last switch. */
  switched: number | null
  /** Acknowledged retirements whose drain has ended. */
  drained: string[]
  step: (Asked & { step: Step; start: string[]; retire: string[]; stop: string[] }) | null
}

export interface Rollout {
  id: string
  service: string
  kind: RolloutKind
  release: string
  previous: string | null
  allowOutage: boolean
  removeData: boolean
  stage: 'fetching' | 'preparing' | 'turns' | 'returning' | 'finished'
  stageSince: Asked
  prepare: { machine: string; done: boolean } | null
  /** In the order of their turns. */
  order: string[]
  machines: Record<string, RolloutMachine>
  /** Set once the rollout has finished. */
  outcome: 'completed' | 'reverted' | 'aborted' | null
  aborted: boolean
  reason: string | null
  /** The failed turn that reverses the rollout, and why it failed. */
  failure: { machine: string; reason: string; instance: string | null } | null
  /** The machine whose failure reversed the rollout: the first to go back. */
  failedMachine: string | null
  /** Machines whose turn back has ended. */
  returned: string[]
}

export interface RolloutMachine {
  state: 'waiting' | 'running' | 'done' | 'reverted' | 'untouched' | 'lost' | 'behind' | 'failed'
  fetched: boolean
  /** Number of instances named for this machine so far: no name is used twice. */
  named: number
}

export const completedKept = 50

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

/** A turn before its first step. */
export const freshTurn = (data: EventData['TurnStarted']): Turn => ({
  ...data,
  unforwarded: false,
  gaveUp: null,
  switched: null,
  drained: [],
  step: null,
})

export function initialState(config: Config): State {
  return {
    config,
    position: 0,
    terms: [],
    clockSince: 0,
    clockPosition: 0,
    cluster: null,
    machines: {},
    upgrade: null,
    removedMachines: {},
    releases: {},
    services: {},
    instances: {},
    turns: {},
    rollouts: {},
    generations: {},
    maintenance: null,
    addresses: {},
    loopbacks: {},
    removedData: {},
  }
}
