import type { Clock } from '../lib/clock.ts'

/** Longest sleep of the controller. */
const tickMs = 500
/** Interval at which a deadline that cannot be acted on yet (a rollout held) is checked, instead of in a busy loop. */
const shortestMs = 20
/**
 * Above this difference, the wall clock and the monotonic clock disagree, or the process stood still: the clock
 * restarts.
 */
const toleranceMs = 2_000

interface Hooks {
  /** The next time at which something is decided; may be infinite. */
  deadline: () => number
  /** `now` is the time that was checked. */
  passed: (now: number) => Promise<void>
  restarted: (reason: string) => Promise<void>
  /**
   * Called when deciding failed, for example because the disk is full. Deciding is retried at each tick; this is called
   * only for the first of several failures.
   */
  failed: (error: unknown) => void
}

/** The only code that turns time into commands. */
export class ControllerClock {
  #clock: Clock
  #hooks: Hooks
  #stopTimer: () => void = () => {}
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
    this.#stopTimer()
  }

  #arm(): void {
    if (this.#isStopped) return
    const due = this.#hooks.deadline() - this.#clock.now()
    const wait = this.#isFailing ? tickMs : Math.min(tickMs, Math.max(shortestMs, due))
    this.#stopTimer = this.#clock.after(wait, () => void this.#tick())
  }

  /** Never rejects. */
  async #tick(): Promise<void> {
    try {
      await this.#decide()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.#isStopped) this.#hooks.failed(error)
      this.#isFailing = true
    }
    this.#arm()
  }

  async #decide(): Promise<void> {
    const [now, monotonic] = [this.#clock.now(), this.#clock.monotonic()]
    const elapsed = monotonic - this.#last.monotonic
    const jump = now - this.#last.now - elapsed
    // The last tick is updated only after this succeeded, so a jump that cannot be recorded is found again at the next
    // tick.
    if (Math.abs(jump) > toleranceMs) await this.#hooks.restarted(`the clock jumped by ${Math.round(jump)} ms`)
    else if (elapsed > tickMs + toleranceMs) {
      await this.#hooks.restarted(`the controller stood still for ${Math.round(elapsed)} ms`)
    }
    this.#last = { now, monotonic }
    if (now >= this.#hooks.deadline()) await this.#hooks.passed(now)
  }
}
