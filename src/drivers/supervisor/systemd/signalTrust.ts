import type { Clock } from '../../../lib/clock.ts'

/** A signal may come so long after what it is about; systemd sends it within milliseconds. */
const graceMs = 5_000
/** More units than a machine runs, and those that are gone meanwhile. */
const mostKept = 5_000

/**
 * Whether systemd's signals reach this agent. They do not while the bus is away; nor, whatever the bus says, when a unit has
 * changed and none came of it: without them an end is seen late, and nobody would be told.
 */
export class SignalTrust {
  readonly #clock: Clock
  readonly #graceMs: number
  /** When the last signal of a unit came. */
  readonly #rang = new Map<string, number>()
  readonly #checks = new Set<NodeJS.Timeout>()
  #away: string | null = null
  #silent: string | null = null

  constructor(clock: Clock, grace = graceMs) {
    this.#clock = clock
    this.#graceMs = grace
  }

  rang(unit: string): void {
    this.#rang.delete(unit) // the newest come last
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

  /** It is known from elsewhere that this unit has changed; a signal of it must have come since `since`, or come soon. */
  changed(unit: string, since: number): void {
    const check = setTimeout(() => {
      this.#checks.delete(check)
      if ((this.#rang.get(unit) ?? -1) < since) this.#silent = unit
    }, this.#graceMs)
    this.#checks.add(check.unref())
  }

  /** What is wrong with them, in words. */
  problem(): string | null {
    const seen = 'what services do is seen late; systemctl status dbus on this machine says more'
    if (this.#away !== null) return `systemd's signals cannot be followed: ${this.#away}; ${seen}`
    return this.#silent === null ? null : `systemd said nothing of a change of ${this.#silent}: ${seen}`
  }

  close(): void {
    for (const check of this.#checks) clearTimeout(check)
  }
}
