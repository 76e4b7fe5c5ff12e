import { startTimer } from '../../lib/longTimer.ts'

interface Held {
  wake: () => void
  expire: () => void
  stop: () => void
}

/** Requests and connections that wait for the next plan because their service has no instance right now. */
export class Holder {
  readonly #limit: number
  readonly #held = new Set<Held>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#held.size
  }

  /** Calls `wake` at the next change, or `expire` after `ms`. Returns how to leave, or `null` when as many as allowed are held. */
  hold(ms: number, wake: () => void, expire: () => void): (() => void) | null {
    if (this.#held.size >= this.#limit) return null
    const stop = startTimer(ms, () => {
      this.#held.delete(held)
      expire()
    })
    const held: Held = { wake, expire, stop }
    this.#held.add(held)
    return () => {
      stop()
      this.#held.delete(held)
    }
  }

  /** A new plan, or an instance that is back: all try again. Those that fail are held anew for the rest of their time. */
  wakeAll(): void {
    for (const { wake } of this.#takeAll()) wake()
  }

  /** Nothing will come any more. */
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
