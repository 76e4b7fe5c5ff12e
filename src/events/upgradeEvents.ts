/** A part, and the program that it ran before and would return to. */
export interface UpgradePart {
  part: string
  release: string | null
  version: string
}

export interface UpgradeEvents {
  /** Tandem itself is being upgraded, part by part, in this order: the machines, then the controller. */
  UpgradeStarted: { upgrade: string; version: string; release: string; parts: UpgradePart[] }
  /** From here a part should run `release`; `ready`: instances that must be ready again when the turn ends. */
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
}

declare module './event.ts' {
  interface EventData extends UpgradeEvents {}
}
