import type { Clock } from '../clock.ts'

interface Timer {
  due: number
  fire: () => void
}

/*
 * Time that passes only when a test says so, and then as fast as the work allows. Between two timers, everything that
 * follows from the first settles: `settle` takes one turn of the event loop, and Node runs every microtask and tick,
 * however long their chain, before the next turn begins. So a run is deterministic, provided that the code under test
 * waits for nothing but promises and this clock. Files, sockets, threads and real timers complete in turns of their own
 * and break that; `withoutRealWaits` finds them.
 */
export class VirtualClock implements Clock {
  #offset = Date.parse('2026-01-01T00:00:00Z')
  #monotonic = 0
  /** In the order in which they fire. */
  #timers: Timer[] = []

  now(): number {
    return Math.floor(this.#offset + this.#monotonic)
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Number of timers that wait. */
  get pending(): number {
    return this.#timers.length
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { due: this.#monotonic + Math.max(0, ms), fire }
    const behind = this.#timers.findIndex(({ due }) => due > timer.due)
    this.#timers.splice(behind < 0 ? this.#timers.length : behind, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** Simulates a change of the wall clock. */
  jump(ms: number): void {
    this.#offset += ms
  }

  /** Lets the process stand still: time passes, and every timer that is due by then is late. */
  stall(ms: number): void {
    this.#monotonic += ms
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await settle()
    while (await this.#fireNext(end));
    this.#monotonic = Math.max(this.#monotonic, end)
  }

  /** Lets time pass until `holds`; throws after `limitMs`. It looks after each timer. */
  async until(what: string, holds: () => boolean, limitMs: number): Promise<void> {
    const end = this.#monotonic + limitMs
    await settle()
    while (!holds()) {
      if (!(await this.#fireNext(end))) throw new Error(`did not observe ${what} within ${limitMs} ms of virtual time`)
    }
  }

  async #fireNext(end: number): Promise<boolean> {
    const [next] = this.#timers
    if (next === undefined || next.due > end) return false
    this.#timers.shift()
    this.#monotonic = Math.max(this.#monotonic, next.due)
    next.fire()
    await settle()
    return true
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
