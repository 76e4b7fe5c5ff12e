import type { Overview } from '../../src/api/overview.ts'

export type Change = Overview['changes'][number]

/** A rollout that is over stands once, at its end, with who began it. */
export function told(changes: Change[]): Change[] {
  const ends = new Set(changes.flatMap(({ type, rollout }) => (type === 'RolloutFinished' ? [rollout] : [])))
  const begun = changes.filter(({ type }) => type === 'RolloutStarted')
  return changes.flatMap((one) => {
    if (one.type === 'RolloutStarted' && ends.has(one.rollout)) return []
    if (one.type !== 'RolloutFinished') return [one]
    return [{ ...one, by: one.by ?? begun.find(({ rollout }) => rollout === one.rollout)?.by ?? null }]
  })
}
