import { coalesced } from '../../../lib/coalesced.ts'
import type { Clock } from '../../../lib/clock.ts'
import { SignalTrust } from './signalTrust.ts'
import type { Systemctl } from '../../../systemd/systemctl.ts'
import type { SystemdInstance } from './systemdInstance.ts'
import { watchUnits } from './unitWatch.ts'

/** Interval at which every instance is checked even without a signal, and the interval while no signals arrive. */
const lookMs = 30_000
const deafLookMs = 2_000

interface Options {
  systemctl: Pick<Systemctl, 'show'>
  clock: Clock
  /** Path of the bus that systemd sends signals over. */
  bus: string
  instances: ReadonlyMap<string, SystemdInstance>
}

/** Checks units when systemd signals a change, and at an interval in case a signal was lost. */
export class UnitLooks {
  readonly #options: Options
  readonly #signals: SignalTrust
  readonly #ending = new AbortController()
  /** Units to check. One check runs at a time, and each check begins after the event that caused it. */
  readonly #touched = new Set<string>()
  readonly #looks = coalesced(() => this.#lookAtTouched())
  readonly #timer: NodeJS.Timeout
  #watching: Promise<void> | null = null
  #lookedAt: number

  constructor(options: Options) {
    const { clock } = options
    this.#options = options
    this.#signals = new SignalTrust(clock)
    this.#lookedAt = clock.monotonic()
    this.#timer = setInterval(() => {
      const now = clock.monotonic()
      if (now - this.#lookedAt < lookMs && this.#signals.problem() === null) return
      this.#lookedAt = now
      this.#lookAtAll()
    }, deafLookMs)
  }

  /** Follows the signals of systemd from the first call on. */
  watch(): void {
    this.#watching ??= watchUnits(
      {
        path: this.#options.bus,
        touched: (unit) => {
          this.#signals.rang(unit)
          this.look(unit)
        },
        missed: () => {
          this.#signals.connected()
          this.#lookAtAll()
        },
        ending: (unit, told) => this.#byUnit(unit)?.told(told),
        interrupted: (why) => this.#signals.away(why),
      },
      this.#ending.signal,
    )
  }

  look(unit: string): void {
    this.#touched.add(unit)
    this.#looks.ask().catch(() => {}) // systemd does not answer now: the timer checks again soon
  }

  /** The unit has changed at or after `since`, a time of the clock in milliseconds: a signal of it must have arrived. */
  changed(unit: string, since: number): void {
    this.#signals.changed(unit, since)
  }

  /** Reports that no signals arrive. */
  problem(): string | null {
    return this.#signals.problem()
  }

  /** Stops looking at once; resolves when the last look has ended. */
  close(): Promise<unknown> {
    clearInterval(this.#timer)
    this.#signals.close()
    this.#ending.abort()
    return Promise.all([this.#watching, this.#looks.idle()])
  }

  #byUnit(unit: string): SystemdInstance | undefined {
    return [...this.#options.instances.values()].find((one) => one.record.unit === unit)
  }

  #lookAtAll(): void {
    for (const { record } of this.#options.instances.values()) this.look(record.unit)
  }

  async #lookAtTouched(): Promise<void> {
    const { systemctl, clock } = this.#options
    const units = [...this.#touched].filter((unit) => this.#byUnit(unit))
    this.#touched.clear()
    if (units.length === 0 || this.#ending.signal.aborted) return
    const states = await systemctl.show(units)
    const since = clock.monotonic() - lookMs
    await Promise.all(
      units.map(async (unit) => {
        if (await this.#byUnit(unit)?.look(states.get(unit))) this.#signals.changed(unit, since)
      }),
    )
  }
}
