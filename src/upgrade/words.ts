import { change, step, type Words } from '../decision/words.ts'
import type { UpgradeEvents } from '../events/upgradeEvents.ts'

const reasoned = (text: string, reason: string | null): string => (reason === null ? text : `${text}: ${reason}`)

export const upgradeWords: Words<UpgradeEvents> = {
  UpgradeStarted: ({ version }) => change('running', 'Tandem', `is being upgraded to ${version}`),
  UpgradeTurnStarted: ({ part, direction }) =>
    step('running', part, direction === 'forward' ? 'is being upgraded' : 'goes back to its former version'),
  UpgradeTurnFinished: ({ part, direction, outcome, reason }) => {
    const done = direction === 'forward' ? 'is upgraded' : 'runs its former version'
    if (outcome === 'done') return step('done', part, done)
    return step(
      outcome,
      part,
      reasoned(outcome === 'lost' ? 'was lost during its upgrade' : 'was not upgraded', reason),
    )
  },
  UpgradeReversed: ({ reason }) => change('reverted', 'Tandem', `goes back to the former version: ${reason}`),
  UpgradeFinished: ({ state, reason }) =>
    state === 'completed'
      ? change('done', 'Tandem', 'is upgraded')
      : change('reverted', 'Tandem', reasoned('is back at the former version', reason)),
}
