/** Work that is done again after each ask, one run at a time. */
export interface Coalesced {
  /** Settles as the run does that begins after this ask; asks that come while one goes on, or in the same step, share the next. */
  ask: () => Promise<void>
  /** Resolves when nothing runs and nothing is asked for. */
  idle: () => Promise<void>
}

export function coalesced(work: () => Promise<void>): Coalesced {
  let last: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null
  const idle = async (): Promise<void> => {
    for (let seen: Promise<void> | null = null; seen !== last;) {
      seen = last
      await seen
    }
  }
  return {
    ask: () => {
      if (next !== null) return next
      const run = last.then(() => {
        next = null
        return work()
      })
      next = run
      last = run.catch(() => {}) // whoever asked is told
      return run
    },
    idle,
  }
}
