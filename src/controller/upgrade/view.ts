import type { UpgradeView } from '../../api/upgrade.ts'
import type { UpgradeState } from '../../upgrade/state.ts'

/** The running upgrade, or the last one, as users see it. */
export function upgradeView({ upgrade: current }: UpgradeState): UpgradeView | null {
  if (!current) return null
  const { id, version, release, stage, outcome, reason, startedAt, finishedAt, parts } = current
  return {
    ...{ id, version, release, reason },
    state: outcome ?? (stage === 'returning' ? 'reverting' : 'running'),
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: finishedAt === null ? null : new Date(finishedAt).toISOString(),
    parts: parts.map((part) => ({ part: part.part, from: part.version, state: part.state, reason: part.reason })),
  }
}
