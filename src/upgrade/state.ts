import type { EventData } from '../events/event.ts'
import type { UpgradePart } from '../events/upgradeEvents.ts'
import type { FleetWorld } from '../fleet/state.ts'

/*
 * An UPGRADE changes Tandem itself, part by part: each machine's agent, then the controller. Its stages:
 *   fetching   Every part fetches the new program, unpacks it and checks that it runs. Entered by UpgradeStarted.
 *   turns      One part at a time is switched and watched. Entered by the first UpgradeTurnStarted.
 *   returning  A part failed: the parts that run the new program return, last first. Entered by UpgradeReversed.
 *   over       UpgradeFinished: completed (from turns) or reverted (from returning).
 *
 * The machines come first and the controller last: the program that decides about a return is always the one known to
 * work.
 *
 * A part is `waiting`, `running` in its turn, then `done`; `lost` when it is silent and skipped (it keeps its program);
 * `failed` when the new program did not work there, or the part could not return; `reverted` once it has returned. A
 * part's machine returns on its own when the new program does not come up or reaches no controller
 * (versions/runTrial.ts); the turn then only records the outcome.
 */
export interface UpgradeState {
  /** The current upgrade, otherwise the last one. */
  upgrade: Upgrade | null
}

export type UpgradeWorld = FleetWorld & UpgradeState

export interface Upgrade {
  id: string
  version: string
  release: string
  stage: 'fetching' | 'turns' | 'returning' | 'over'
  outcome: 'completed' | 'reverted' | null
  reason: string | null
  startedAt: number
  /** Start of the time limit for fetching. */
  fetchingSince: number
  finishedAt: number | null
  /** Parts in the order of their turns. */
  parts: Part[]
  turn: UpgradeTurn | null
}

export interface Part extends UpgradePart {
  state: 'waiting' | 'running' | 'done' | 'failed' | 'lost' | 'reverted'
  reason: string | null
  /** True if the part had its turn of the return. */
  hasReturned: boolean
}

export interface UpgradeTurn extends Omit<EventData['UpgradeTurnStarted'], 'upgrade'> {
  position: number
  at: number
}

/** Name of the part that is not a machine; no machine can have this name. */
export const controllerPart = '@controller'

/** An upgrade that is not over yet; `null`: none. */
export const runningUpgrade = ({ upgrade }: UpgradeState): Upgrade | null =>
  upgrade?.stage === 'over' ? null : upgrade

/** Identifies a request to a part: the part does not repeat a request that failed. */
export const keyOf = ({ id }: Upgrade, direction: 'forward' | 'back'): string => `${id}/${direction}`
