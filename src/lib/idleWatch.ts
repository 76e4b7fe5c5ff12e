import type { Clock } from './clock.ts'

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
    this.#stop = clock.after(idleMs, () => this.#check())
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
    else this.#stop = this.#clock.after(Math.ceil(leftMs), () => this.#check())
  }
}
