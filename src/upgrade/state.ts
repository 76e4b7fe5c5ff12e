import type { EventData, RecordedEvent, UpgradePart } from '../events/event.ts'

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
  current: Upgrade | null
}

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

export const initialUpgradeState = (): UpgradeState => ({ current: null })

/** Identifies a request to a part: the part does not repeat a request that failed. */
export const keyOf = ({ id }: Upgrade, direction: 'forward' | 'back'): string => `${id}/${direction}`

/** Folds one event in; unrelated events change nothing. */
export function evolveUpgrade(state: UpgradeState, event: RecordedEvent): UpgradeState {
  const at = Date.parse(event.at)
  if (event.type === 'UpgradeStarted') {
    const { upgrade: id, version, release } = event.data
    const parts = event.data.parts.map((part): Part => ({
      ...part,
      state: 'waiting',
      reason: null,
      hasReturned: false,
    }))
    const fresh = {
      stage: 'fetching',
      outcome: null,
      reason: null,
      startedAt: at,
      fetchingSince: at,
      finishedAt: null,
      turn: null,
    } as const
    return { current: { id, version, release, parts, ...fresh } }
  }
  if (state.current === null || state.current.stage === 'over') return state
  const upgrade = evolveRunning(state.current, event, at)
  return upgrade === state.current ? state : { current: upgrade }
}

function evolveRunning(upgrade: Upgrade, event: RecordedEvent, at: number): Upgrade {
  const { position } = event
  switch (event.type) {
    case 'UpgradeTurnStarted': {
      const stage = upgrade.stage === 'fetching' ? 'turns' : upgrade.stage
      const parts = changed(upgrade, event.data.part, { state: 'running' })
      return { ...upgrade, stage, parts, turn: { ...event.data, position, at } }
    }
    case 'UpgradeTurnFinished': {
      const { part, direction, outcome, reason } = event.data
      const state = outcome === 'done' && direction === 'back' ? 'reverted' : outcome
      return {
        ...upgrade,
        turn: null,
        parts: changed(upgrade, part, { state, reason, hasReturned: direction === 'back' }),
      }
    }
    case 'UpgradeReversed':
      return { ...upgrade, stage: 'returning', reason: event.data.reason }
    case 'UpgradeFinished':
      return { ...upgrade, stage: 'over', outcome: event.data.state, finishedAt: at, turn: null }
    case 'MachineRemoved': {
      const { machine } = event.data
      const turn = upgrade.turn?.part === machine ? null : upgrade.turn
      return { ...upgrade, turn, parts: upgrade.parts.filter(({ part }) => part !== machine) }
    }
    // An operator trusted the machines' state over the log: the state of the upgrade is no longer known.
    case 'LogRecovered':
      return {
        ...upgrade,
        stage: 'over',
        outcome: 'reverted',
        reason: 'the log was recovered',
        finishedAt: at,
        turn: null,
      }
    // A controller that restarts gives pending requests their full time again.
    case 'LeadershipTaken':
    case 'ClockRestarted':
      return { ...upgrade, fetchingSince: at, turn: upgrade.turn && { ...upgrade.turn, at } }
    default:
      return upgrade
  }
}

const changed = ({ parts }: Upgrade, name: string, to: Partial<Part>): Part[] =>
  parts.map((part) => (part.part === name ? { ...part, ...to } : part))
