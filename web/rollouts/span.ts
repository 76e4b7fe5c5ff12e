import type { RolloutView } from '../../src/api/views.ts'
import type { Range } from '../lib/chart/range.ts'

/** Time that is shown before the start and after the end. */
const [leadMs, leastLeadMs] = [15_000, 3_000]
const stepsS = [45, 60, 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1_200, 1_800, 2_700, 3_600]

/** The time axis of a rollout: grows in steps while it runs, and ends soon after it. */
export function spanOf({ startedAt, finishedAt }: RolloutView, now: number): Range {
  const start = Date.parse(startedAt)
  if (finishedAt !== null) {
    const end = Date.parse(finishedAt)
    // A short rollout would be a speck in the middle of 30 s.
    const lead = Math.min(leadMs, Math.max(leastLeadMs, end - start))
    return { from: start - lead, to: end + lead }
  }
  const elapsedS = Math.max(0, now - start) / 1_000
  const shownS = stepsS.find((step) => step >= elapsedS * 1.2) ?? Math.ceil((elapsedS * 1.2) / 3_600) * 3_600
  return { from: start - leadMs, to: start + shownS * 1_000 }
}
