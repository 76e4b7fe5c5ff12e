interface Limits {
  firstMs: number
  mostMs: number
}

/**
 * Delays that double up to a limit. A random part of up to a half is taken off, so that many callers do not retry at
 * once.
 */
export class Backoff {
  #limits: Limits
  #random: () => number
  #next: number

  constructor(limits: Limits, random: () => number) {
    this.#limits = limits
    this.#random = random
    this.#next = limits.firstMs
  }

  /** Delay before the next retry, in milliseconds. */
  next(): number {
    const wait = this.#next
    this.#next = Math.min(this.#next * 2, this.#limits.mostMs)
    return wait * (1 - this.#random() / 2)
  }

  reset(): void {
    this.#next = this.#limits.firstMs
  }
}
