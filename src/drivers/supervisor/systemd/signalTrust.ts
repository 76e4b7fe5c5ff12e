import type { Clock } from '../../../lib/clock.ts'

/** Longest delay of a signal after the change it reports; systemd sends it within milliseconds. */
const graceMs = 5_000
/** More units than a machine runs, including units that are gone meanwhile. */
const mostKept = 5_000

/**
 * Whether systemd's signals reach this agent. They do not reach it while the bus is unreachable, nor if a unit has
 * changed without a signal, even if the bus seems to work. Without signals the agent notices an end late, so it reports
 * the problem.
 */
export class SignalTrust {
  readonly #clock: Clock
  readonly #graceMs: number
  /** Time of the last signal of each unit. */
  readonly #rang = new Map<string, number>()
  readonly #checks = new Set<NodeJS.Timeout>()
  #away: string | null = null
  #silent: string | null = null

  constructor(clock: Clock, grace = graceMs) {
    this.#clock = clock
    this.#graceMs = grace
  }

  rang(unit: string): void {
    this.#rang.delete(unit) // the newest entries come last
    this.#rang.set(unit, this.#clock.monotonic())
    const [oldest] = this.#rang.keys()
    if (oldest !== undefined && this.#rang.size > mostKept) this.#rang.delete(oldest)
    this.#silent = null
  }

  connected(): void {
    this.#away = null
  }

  away(why: string): void {
    this.#away = why
  }

  /**
   * Called when another source shows that this unit has changed. A signal of the unit must have come since `since`, or
   * must come soon.
   */
  changed(unit: string, since: number): void {
    const check = setTimeout(() => {
      this.#checks.delete(check)
      if ((this.#rang.get(unit) ?? -1) < since) this.#silent = unit
    }, this.#graceMs)
    this.#checks.add(check.unref())
  }

  /** The problem with the signals, as text; `null` if there is none. */
  problem(): string | null {
    const seen = 'Tandem notices changes of services late; check on this machine: systemctl status dbus'
    if (this.#away !== null) return `cannot receive systemd's signals: ${this.#away}; ${seen}`
    return this.#silent === null ? null : `systemd sent no signal for a change of ${this.#silent}; ${seen}`
  }

  close(): void {
    for (const check of this.#checks) clearTimeout(check)
  }
}
