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
    const text = endOf(start.text, one.text)
    // A stop that went well takes a service from its users.
    return [{ ...one, by: one.by ?? start.by, text, sign: text === 'was stopped' ? 'warn' : one.sign }]
  })
}

/** The end of a stop is no completed rollout to a reader: "is being stopped" becomes "was stopped". */
function endOf(start: string, end: string): string {
  const [, done] = /^is being (.*)/.exec(start) ?? []
  if (done !== undefined) return end === 'rollout completed' ? `was ${done}` : end
  const [, kind = 'rollout', release] = /^(\w+) (?:\S+ → )?(?:([0-9a-f]{7})[0-9a-f]* )?started$/.exec(start) ?? []
  return end.replace(/^rollout/, release === undefined ? kind : `${kind} to ${release}`)
}
