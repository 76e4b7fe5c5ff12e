import type { Overview } from '../../src/api/overview.ts'

export type Change = Overview['changes'][number]

/** A rollout that is over stands once, at its end, with who began it. */
export function told(changes: Change[]): Change[] {
  const ends = new Set(changes.flatMap(({ type, rollout }) => (type === 'RolloutFinished' ? [rollout] : [])))
  const begun = changes.filter(({ type }) => type === 'RolloutStarted')
  return changes.flatMap((one) => {
    if (one.type === 'RolloutStarted' && ends.has(one.rollout)) return []
    const start = begun.find(({ rollout }) => rollout === one.rollout)
    if (one.type !== 'RolloutFinished' || start === undefined) return [one]
    return [{ ...one, by: one.by ?? start.by, text: endOf(start.text, one.text) }]
  })
}

/** The end of a stop is no completed rollout to a reader: "is being stopped" becomes "was stopped". */
function endOf(start: string, end: string): string {
  const [, done] = /^is being (.*)/.exec(start) ?? []
  if (done !== undefined) return end === 'rollout completed' ? `was ${done}` : end
  return end.replace(/^rollout/, start.split(' ', 1)[0] ?? '')
}
