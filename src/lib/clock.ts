import { startTimer } from './longTimer.ts'

/** Time as an argument. `now` is wall-clock milliseconds since the epoch; `monotonic` never goes back. */
export interface Clock {
  now(): number
  monotonic(): number
  /**
   * Calls `fire` once, after `ms` of monotonic time; any length is possible, and 0 means the next turn of the event
   * loop. The returned function stops the timer.
   */
  after(ms: number, fire: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, fire) => (ms > 0 ? startTimer(ms, fire) : nextTurn(fire)),
}

function nextTurn(fire: () => void): () => void {
  const immediate = setImmediate(fire)
  return () => clearImmediate(immediate)
}

/** Calls `fire` after each `ms`, until the returned function is called. */
export function every(clock: Clock, ms: number, fire: () => void): () => void {
  const arm = (): (() => void) =>
    clock.after(ms, () => {
      stop = arm()
      fire()
    })
  let stop = arm()
  return () => stop()
}

/** Resolves after `ms`, or at once when `signal` aborts. Leaves no listener on a signal that lives longer. */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const over = (): void => resolve()
  const stop = clock.after(ms, over)
  signal?.addEventListener('abort', over)
  await promise
  signal?.removeEventListener('abort', over)
  stop()
}
