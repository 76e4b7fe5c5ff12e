import type { Asked } from '../decision/base.ts'
import type { Folds, Recorded } from '../decision/room.ts'
import { runningUpgrade, type Part, type Upgrade, type UpgradeState, type UpgradeWorld } from './state.ts'

type RunningEvent = Recorded<
  | 'UpgradeTurnStarted'
  | 'UpgradeTurnFinished'
  | 'UpgradeReversed'
  | 'UpgradeFinished'
  | 'MachineRemoved'
  | 'LogRecovered'
  | 'LeadershipTaken'
  | 'ClockRestarted'
>

export const upgradeFolds = {
  UpgradeStarted: started,
  UpgradeTurnStarted: running,
  UpgradeTurnFinished: running,
  UpgradeReversed: running,
  UpgradeFinished: running,
  MachineRemoved: running,
  LogRecovered: running,
  LeadershipTaken: running,
  ClockRestarted: running,
} satisfies Folds<UpgradeWorld, UpgradeState>

function started(_: UpgradeState, { data }: Recorded<'UpgradeStarted'>, { at }: Asked): UpgradeState {
  const { upgrade: id, version, release } = data
  const fresh = { state: 'waiting', reason: null, hasReturned: false } as const
  const parts = data.parts.map((part): Part => ({ ...part, ...fresh }))
  const begun = { stage: 'fetching', outcome: null, reason: null, finishedAt: null, turn: null } as const
  return { upgrade: { id, version, release, parts, ...begun, startedAt: at, fetchingSince: at } }
}

function running(state: UpgradeState, event: RunningEvent, asked: Asked): UpgradeState {
  const upgrade = runningUpgrade(state)
  return upgrade ? { upgrade: { ...upgrade, ...changeOf(upgrade, event, asked) } } : { upgrade: state.upgrade }
}

function changeOf(upgrade: Upgrade, event: RunningEvent, { position, at }: Asked): Partial<Upgrade> {
  switch (event.type) {
    case 'UpgradeTurnStarted':
      return {
        stage: upgrade.stage === 'fetching' ? 'turns' : upgrade.stage,
        parts: changed(upgrade, event.data.part, { state: 'running' }),
        turn: { ...event.data, position, at },
      }
    case 'UpgradeTurnFinished': {
      const { part, direction, outcome, reason } = event.data
      const state = outcome === 'done' && direction === 'back' ? 'reverted' : outcome
      return { turn: null, parts: changed(upgrade, part, { state, reason, hasReturned: direction === 'back' }) }
    }
    case 'UpgradeReversed':
      return { stage: 'returning', reason: event.data.reason }
    case 'UpgradeFinished':
      return { stage: 'over', outcome: event.data.state, finishedAt: at, turn: null }
    case 'MachineRemoved': {
      const { machine } = event.data
      const turn = upgrade.turn?.part === machine ? null : upgrade.turn
      return { turn, parts: upgrade.parts.filter(({ part }) => part !== machine) }
    }
    // An operator trusted the machines' state over the log: the state of the upgrade is no longer known.
    case 'LogRecovered':
      return { stage: 'over', outcome: 'reverted', reason: 'the log was recovered', finishedAt: at, turn: null }
    // A controller that restarts gives pending requests their full time again.
    case 'LeadershipTaken':
    case 'ClockRestarted':
      return { fetchingSince: at, turn: upgrade.turn && { ...upgrade.turn, at } }
  }
}

const changed = ({ parts }: Upgrade, name: string, to: Partial<Part>): Part[] =>
  parts.map((part) => (part.part === name ? { ...part, ...to } : part))
