import { startTimer } from './longTimer.ts'

interface Limits {
  firstMs: number
  mostMs: number
}

/** Waiting times that double up to a limit, with up to half taken off by chance so that many do not come at once. */
export class Backoff {
  #limits: Limits
  #random: () => number
  #next: number

  constructor(limits: Limits, random: () => number) {
    this.#limits = limits
    this.#random = random
    this.#next = limits.firstMs
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const wait = this.#next
    this.#next = Math.min(this.#next * 2, this.#limits.mostMs)
    return wait * (1 - this.#random() / 2)
  }

  reset(): void {
    this.#next = this.#limits.firstMs
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. Leaves nothing behind at a signal that outlives it. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const over = (): void => resolve()
  const stopTimer = startTimer(ms, over)
  signal.addEventListener('abort', over)
  await promise
  signal.removeEventListener('abort', over)
  stopTimer()
}
