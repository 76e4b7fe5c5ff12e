import { chainOf, type Links } from '../decision/links.ts'
import type { UpgradeEvents } from '../events/upgradeEvents.ts'

const { work } = chainOf
const whole = (upgrade: string): string => `upgrade ${upgrade}`

export const upgradeLinks: Links<UpgradeEvents> = {
  UpgradeStarted: ({ upgrade }) => ({ opens: [whole(upgrade)] }),
  UpgradeTurnStarted: ({ upgrade, part }) => ({ in: [whole(upgrade)], opens: [work(part)] }),
  UpgradeTurnFinished: ({ upgrade, part }) => ({ in: [work(part), whole(upgrade)], ends: [work(part)] }),
  UpgradeReversed: ({ upgrade }) => ({ in: [whole(upgrade)] }),
  UpgradeFinished: ({ upgrade }) => ({ in: [whole(upgrade)], ends: [whole(upgrade)] }),
}
