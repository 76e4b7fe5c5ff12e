import type { Clock } from '../lib/clock.ts'

/** The longest the controller sleeps; also what keeps its timers below 2^31 ms. */
const tickMs = 500
/** A deadline that cannot be acted on yet (a rollout held) is looked at this often, not in a busy loop. */
const shortestMs = 20
/** Beyond this, wall clock and monotonic clock disagree or the process stood still: time counts afresh. */
const toleranceMs = 2_000

interface Hooks {
  /** When time next decides something; may be infinite. */
  deadline: () => number
  passed: () => void
  restarted: (reason: string) => void
  /** Deciding failed, as when the disk is full: it is tried again at each tick. Called for the first of several failures. */
  failed: (error: unknown) => void
}

/** The one shell that turns time into commands. */
export class ControllerClock {
  #clock: Clock
  #hooks: Hooks
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #isFailing = false
  #last = { now: 0, monotonic: 0 }

  constructor(clock: Clock, hooks: Hooks) {
    this.#clock = clock
    this.#hooks = hooks
  }

  start(): void {
    this.#last = { now: this.#clock.now(), monotonic: this.#clock.monotonic() }
    this.#arm()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #arm(): void {
    if (this.#isStopped) return
    const due = this.#hooks.deadline() - this.#clock.now()
    const wait = this.#isFailing ? tickMs : Math.min(tickMs, Math.max(shortestMs, due))
    this.#timer = setTimeout(() => this.#tick(), wait)
  }

  #tick(): void {
    try {
      this.#decide()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#hooks.failed(error)
      this.#isFailing = true
    }
    this.#arm()
  }

  #decide(): void {
    const [now, monotonic] = [this.#clock.now(), this.#clock.monotonic()]
    const elapsed = monotonic - this.#last.monotonic
    const jump = now - this.#last.now - elapsed
    // A jump that cannot be recorded is one at the next tick too: the last tick is forgotten only then.
    if (Math.abs(jump) > toleranceMs) this.#hooks.restarted(`the clock jumped by ${Math.round(jump)} ms`)
    else if (elapsed > tickMs + toleranceMs) {
      this.#hooks.restarted(`the controller stood still for ${Math.round(elapsed)} ms`)
    }
    this.#last = { now, monotonic }
    if (now >= this.#hooks.deadline()) this.#hooks.passed()
  }
}
