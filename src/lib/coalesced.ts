/** Work that runs again after each request, one run at a time. */
export interface Coalesced {
  /**
   * Settles with the run that begins after this request. Requests during a run, or in the same step, share the next
   * run.
   */
  ask: () => Promise<void>
  /** Resolves when nothing runs and no run is requested. */
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
      last = run.catch(() => {}) // the caller gets the error from `run`
      return run
    },
    idle,
  }
}
