import type { ClusterDefinition } from '../definitions/cluster.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Direction, EventData, ReportMark, ResolvedRoute, RolloutKind, Step, Target } from '../events/event.ts'
import type { Maintenance } from './maintenanceState.ts'
import type { TermRecord } from '../protocol/desiredState.ts'
import type { Endpoints } from '../protocol/report.ts'

/*
 * The state that rollouts are decided on: a fold of the event log, nothing else.
 *
 * A ROLLOUT moves one service to a target and passes through
 *   fetching   the machines that are to run it fetch the release. Entered by RolloutStarted; `stop` and `remove` skip it.
 *   preparing  one machine runs `prepare` once. Entered by PrepareStarted, left by PrepareFinished.
 *   turns      machines take their turns, one at a time, in order: those that run none yet, those that run it, those it
 *              leaves. Entered by the first TurnStarted or PrepareFinished, left when the last turn is finished.
 *   returning  something failed, or a person aborted: the failing machine and all before it take a turn back, last
 *              first; those where the old release serves before those it leaves. Entered by RolloutReversed from any of
 *              the above, never left for them again.
 *   finished   RolloutFinished: completed (from turns), reverted or aborted (from returning).
 *
 * A machine's part in it: `waiting` until its turn, `running` in it, then `done`; `lost` when it is silent and gone
 * round; going back `reverted`, or `failed` where the old release would not start (what serves stays, and the machine is
 * left alone until it returns or the next rollout) or it did not answer in time (it catches up once it has);
 * `untouched` when the rollout went back before its turn. `behind` is a machine that returned and could not catch up.
 *
 * A TURN changes one service on one machine towards its target, a step at a time (planStep.ts). Its direction is
 * `forward`, `back`, or `catchUp` (outside a rollout: a machine that returned, joined or answered again; it begins once
 * the machine has the release and has done what was asked of it last). Each step changes what is desired of the machine,
 * and is over when a report at or after its position shows so, or its deadline passes (waits.ts):
 *   start      new instances run without traffic; over when all are ready; failed when one fails
 *   unforward  the other machines stop forwarding here; over when each reachable one has acknowledged
 *   switch     new instances take traffic and old ones no more, at once; over when the balancer has acknowledged
 *   drain      nothing changes; over when no work is left on the retired ones, or their drain deadline has passed
 *   stop       retired instances are stopped; over when the machine reports them gone
 * A deadline that passes ends a turn as failed. Going back, peers that do not stop forwarding are gone round, and an
 * old release that does not start is given up (`gaveUp`) where something else serves, else put in traffic as it is.
 *
 * An INSTANCE is `starting`, then `ready`; `failed` while it crashes or misses probes, or, `interrupted`, while its
 * machine itself starts it again (then perhaps ready again); `stopping` once its stop was sent, for good; and gone from
 * the state when reported stopped. Only a failure that is no interruption counts against its release.
 * Its traffic is `idle`, then `active`, then `idle` (retired); a retired one may become active again until it stops.
 *
 * A virtual ADDRESS has the holder that was seen to take it last (addressFacts.ts), machines that are refused it while
 * two held it, and perhaps a machine it is going back to (advanceAddresses.ts).
 *
 * A MACHINE is in traffic (`ready`), being drained (`unforwarding`, then `draining`: giving up its own work) or
 * `drained`, and then perhaps runs nothing (`drain --stop`); apart from that it is lost or not. See maintenanceState.ts
 * for what takes machines through this by itself.
 */
export interface State {
  config: Config
  position: number
  terms: TermRecord[]
  /** When deadlines and silences began to count afresh: the last start, clock jump or stall. Milliseconds. */
  clockSince: number
  /** The position of the event that said so: what was asked before it counts from there. */
  clockPosition: number
  /** The cluster file that was applied last; `null` where machines just come, as on a laptop. */
  cluster: ClusterDefinition | null
  machines: Record<string, Machine>
  /** An upgrade of Tandem itself goes on, now with the part `at`: where that is a machine, turns hold at their next step. */
  upgrade: { id: string; at: string | null } | null
  /** When each machine that was ever removed was last removed, ms: its certificates from before are refused. */
  removedMachines: Record<string, number>
  releases: Record<string, Release>
  services: Record<string, Service>
  instances: Record<string, Instance>
  /** By `turnKey(service, machine)`; at most one each. */
  turns: Record<string, Turn>
  /** The running rollouts, and the last finished one of each service. */
  rollouts: Record<string, Rollout>
  /** What a generation's instances are routed by, while any of them is left. Keyed by rollout id. */
  generations: Record<string, Generation>
  /** The one that runs, or that was the last. */
  maintenance: Maintenance | null
  /** Virtual addresses that any machine was ever seen to hold. */
  addresses: Record<string, AddressState>
  /** The loopback address of each service that ever had a local route; for ever. */
  loopbacks: Record<string, string>
  /** Machines that still have to remove a removed service's data. */
  removedData: Record<string, string[]>
}

export interface AddressState {
  /** Who was seen to take it last, and has not been seen to let go. */
  holder: string | null
  since: Asked
  /** All that were seen to take it and not to let go: more than one while they do not hear each other. */
  holders: string[]
  /** Who had it before. */
  from: string | null
  /** Why it moved, or why nobody holds it; in words. */
  why: string
  /** Machines that held it too, while `holder` was named. */
  refused: string[]
  contestedSince: Asked | null
  /** It is on its way back to the machine it prefers. */
  returning: { from: string; to: string; since: Asked } | null
  /** When it was last sent back; ms. */
  triedAt: number
  /** When those that held it at once were last said to reach each other again; ms. */
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
  /** While it is out of traffic it runs nothing either. */
  runsNothing: boolean
  /** It is taken out of traffic although that interrupts a service. */
  mayInterrupt: boolean
  /** Where and when the current traffic state began. */
  since: Asked
  mark: ReportMark | null
  /** The position of the last step asked of it. */
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
  /** The rollout that runs now. */
  rollout: string | null
  lastRollout: string | null
  /** Releases whose rollout completed, oldest first, at most `completedKept`. */
  completed: string[]
  /** Machines that could not catch up with the current generation. */
  behind: string[]
  /** Machines where going back failed too: what they serve stays until the next rollout, or until they return. */
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
  /** `failed` only because its machine or agent started again: it is being started, and no fault of the release. */
  interrupted: boolean
  traffic: 'idle' | 'active'
  reason: string | null
  port: number | null
  /** The position at which its stop was asked for. */
  stopAsked: number | null
}

export interface Turn {
  rollout: string
  service: string
  machine: string
  direction: Direction
  target: Target | null
  /** The other machines do not forward here until it serves again. */
  unforwarded: boolean
  /** Going back, what serves stays: this instance of the old release would not start again, and was stopped. */
  gaveUp: string | null
  /** The position of its last switch. */
  switched: number | null
  /** Acknowledged retirements whose drain is over. */
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
  /** Once finished. */
  outcome: 'completed' | 'reverted' | 'aborted' | null
  aborted: boolean
  reason: string | null
  /** Why a turn failed: what reverses the rollout. */
  failure: { machine: string; reason: string; instance: string | null } | null
  /** The machine whose failure reversed it: the first to go back. */
  failedMachine: string | null
  /** Machines whose turn back is over. */
  returned: string[]
}

export interface RolloutMachine {
  state: 'waiting' | 'running' | 'done' | 'reverted' | 'untouched' | 'lost' | 'behind' | 'failed'
  fetched: boolean
  /** Instances named for this machine so far: none is ever named twice. */
  named: number
}

export const completedKept = 50

export const turnKey = (service: string, machine: string): string => `${service}/${machine}`

/** An instance just named: its start is about to be asked for. */
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
