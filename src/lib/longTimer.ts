import type { Clock } from './clock.ts'

/** Node's timers turn anything above 2^31 - 1 ms into 1 ms; longer timers are made of slices. */
export const longestTimerMs = 2 ** 31 - 1

/** Starts a timer of any length; the returned function stops the timer. */
export function startTimer(ms: number, fire: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = (leftMs: number): void => {
    const sliceMs = Math.min(leftMs, longestTimerMs)
    timer = setTimeout(() => (leftMs > sliceMs ? arm(leftMs - sliceMs) : fire()), sliceMs)
  }
  arm(Math.max(0, ms))
  return () => clearTimeout(timer)
}

/**
 * Calls `onIdle` after `idleMs` without a `touch`. A touch is cheap: the timer only checks the time of the last touch
 * when it fires.
 */
export class IdleWatch {
  readonly #idleMs: number
  readonly #clock: Clock
  readonly #onIdle: () => void
  #last: number
  #stop: () => void

  constructor(idleMs: number, clock: Clock, onIdle: () => void) {
    this.#idleMs = idleMs
    this.#clock = clock
    this.#onIdle = onIdle
    this.#last = clock.monotonic()
    this.#stop = startTimer(idleMs, () => this.#check())
  }

  touch(): void {
    this.#last = this.#clock.monotonic()
  }

  stop(): void {
    this.#stop()
  }

  #check(): void {
    const leftMs = this.#last + this.#idleMs - this.#clock.monotonic()
    if (leftMs <= 0) this.#onIdle()
    else this.#stop = startTimer(Math.ceil(leftMs), () => this.#check())
  }
}
