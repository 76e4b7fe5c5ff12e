import { systemClock, type Clock } from '../clock.ts'

/** A clock that stands still until a test moves it. Its timers are real ones: see virtualClock.ts for others. */
export class TestClock implements Clock {
  #now = Date.parse('2026-01-01T00:00:00Z')
  #monotonic = 1_000

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  after(ms: number, fire: () => void): () => void {
    return systemClock.after(ms, fire)
  }

  pass(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  /** Simulates a change of the wall clock. */
  jump(ms: number): void {
    this.#now += ms
  }
}
