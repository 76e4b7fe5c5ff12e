import type { Asked, Base } from '../decision/base.ts'
import type { EventData } from '../events/event.ts'
import type { Direction, Pins, ResolvedRoute, RolloutKind, Step, Target } from '../events/rolloutEvents.ts'
import type { FleetState } from '../fleet/state.ts'
import type { FeatureState, Rejected } from './featureState.ts'

/*
 * Services and their rollouts.
 *
 * A ROLLOUT moves one service to a target and passes through these stages:
 *   fetching   The machines that are to run the service fetch the release, and make everything else that a feature
 *              wants before anything is stopped (`readiness`). Entered by RolloutStarted; `stop` and `remove` skip it.
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
 */
export interface RolloutState {
  services: Record<string, Service>
  /** By `turnKey(service, machine)`; at most one each. */
  turns: Record<string, Turn>
  /** The running rollouts, and the last finished one of each service. */
  rollouts: Record<string, Rollout>
  /** The routes of a generation's instances, while any of them is left. Keyed by rollout id. */
  generations: Record<string, Generation>
  /** The loopback address of each service that ever had a local route; kept for ever. */
  loopbacks: Record<string, string>
  /** On a laptop, where all services share one address: the port of each http service that others use. */
  laptopPorts: Record<string, number>
  /** Machines that still have to remove a removed service's data. */
  removedData: Record<string, string[]>
}

/** The state that rollouts are decided on. */
export type State = Base & FleetState & RolloutState & FeatureState

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
  /** Left out: nothing was ever rejected. */
  rejected?: Rejected
  /** The pins with which the releases in `completed` ran last. Left out: none had any. */
  ranWith?: Record<string, Pins>
  /** The generation before the last rollout that completed. */
  former?: { release: string; pins: Pins }
}

export interface Generation {
  service: string
  release: string
  routes: ResolvedRoute[]
  pins?: Pins
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

/** A turn before its first step. */
export const freshTurn = (data: EventData['TurnStarted']): Turn => ({
  ...data,
  unforwarded: false,
  gaveUp: null,
  switched: null,
  drained: [],
  step: null,
})
