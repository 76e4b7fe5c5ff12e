import { startTimer } from '../../lib/longTimer.ts'

interface Held {
  service: string
  wake: () => void
  expire: () => void
  stop: () => void
}

/** Requests and connections that wait for the next plan because their service has no instance at the moment. */
export class Holder {
  readonly #limit: number
  readonly #held = new Set<Held>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#held.size
  }

  byService(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { service } of this.#held) counts.set(service, (counts.get(service) ?? 0) + 1)
    return counts
  }

  /**
   * Calls `wake` at the next change, or `expire` after `ms`. Returns a function that leaves the queue, or `null` if the
   * limit is reached.
   */
  hold(service: string, ms: number, wake: () => void, expire: () => void): (() => void) | null {
    if (this.#held.size >= this.#limit) return null
    const stop = startTimer(ms, () => {
      this.#held.delete(held)
      expire()
    })
    const held: Held = { service, wake, expire, stop }
    this.#held.add(held)
    return () => {
      stop()
      this.#held.delete(held)
    }
  }

  /**
   * There is a new plan, or an instance is back: all waiting work tries again. Work that fails is held again for the
   * rest of its time.
   */
  wakeAll(): void {
    for (const { wake } of this.#takeAll()) wake()
  }

  /** The balancer closes: no instance will come. */
  expireAll(): void {
    for (const { expire } of this.#takeAll()) expire()
  }

  #takeAll(): Held[] {
    const all = [...this.#held]
    this.#held.clear()
    for (const { stop } of all) stop()
    return all
  }
}
