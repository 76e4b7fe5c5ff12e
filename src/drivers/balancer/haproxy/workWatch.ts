import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { BalancerChange, BalancerCounters, InFlight } from '../balancer.ts'
import type { HaproxyLimits } from './haproxySettings.ts'
import type { LeftoverServers } from './leftoverServers.ts'
import type { RunningHaproxy } from './runningHaproxy.ts'
import { CounterSum, downIn, workIn } from './workCounts.ts'

interface Parts {
  running: RunningHaproxy
  leftover: LeftoverServers
  limits: HaproxyLimits
  clock: Clock
  /** Runs operations with HAProxy one after the other. */
  inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>
  isClosing: () => boolean
  tell: (change: BalancerChange) => void
  log: (message: string, about: Record<string, unknown>) => void
}

/** Whether each instance takes new work. */
export type Taking = ReadonlyMap<string, boolean>

/**
 * Work in flight, over all workers of HAProxy. Statistics are read on request, and repeatedly only while an instance
 * finishes or a server is to be removed.
 */
export class WorkWatch {
  readonly #parts: Parts
  readonly #counters = new CounterSum()
  #taking: Taking = new Map()
  #work = new Map<string, InFlight>()
  #down = new Set<string>()
  /** Instances that take no new work and had some: `idle` is reported when no work is left. */
  readonly #finishing = new Set<string>()
  #held = 0
  #readAt = -Infinity
  #isReading = false
  #isWatching = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** A plan is in force. Reports instances that are already idle, and watches the others. */
  async settle(before: Taking, now: Taking): Promise<void> {
    this.#taking = now
    for (const [instance, took] of before) {
      if (now.get(instance) === true) continue
      if (took || !now.has(instance)) this.#finishing.add(instance)
    }
    for (const [instance, takes] of now) if (takes) this.#finishing.delete(instance)
    await this.read()
    if (this.#isWatching) return
    this.#isWatching = true
    void this.#watchUntilDone()
  }

  /** Reads all workers, and reports changes; resolves with their process ids. */
  async read(): Promise<number[]> {
    const { current, reading } = await this.#parts.running.read()
    this.#work = workIn(reading)
    this.#counters.read(reading)
    this.#readAt = this.#parts.clock.monotonic()
    for (const instance of this.#finishing) {
      if (this.#now(instance).work > 0) continue
      this.#finishing.delete(instance)
      this.#parts.tell({ type: 'idle', instance })
    }
    this.#tellOfDown(downIn(reading.get(current) ?? []))
    return [...reading.keys()]
  }

  /** The value of the last reading. A request starts a new reading if the last one is older than `restMs`. */
  inFlight(instance: string): InFlight {
    this.#freshen()
    return this.#now(instance)
  }

  counters(): BalancerCounters {
    this.#freshen()
    return this.#counters.counters(this.#held)
  }

  #now(instance: string): InFlight {
    return this.#work.get(instance) ?? { work: 0, long: 0 }
  }

  #tellOfDown(down: Set<string>): void {
    const { tell } = this.#parts
    const gone = new Set([...down].filter((instance) => this.#taking.get(instance) === true))
    for (const instance of gone) {
      if (this.#down.has(instance)) continue
      tell({ type: 'ejected', instance, reason: 'refuses connections' })
    }
    for (const instance of this.#down) {
      if (!gone.has(instance) && this.#taking.get(instance) === true) tell({ type: 'restored', instance })
    }
    this.#down = gone
  }

  async #watchUntilDone(): Promise<void> {
    const { limits, leftover, inTurn, isClosing, log } = this.#parts
    while (!isClosing() && (this.#finishing.size > 0 || leftover.size > 0)) {
      await pause(limits.watchMs, undefined, { ref: false })
      try {
        await inTurn(async () => {
          await this.read()
          await leftover.remove((instance) => this.#now(instance).work === 0)
        })
      } catch (error) {
        if (isClosing()) break
        log('HAProxy does not answer; retrying', { error: String(error) })
      }
    }
    // This happens together with the last look at the remaining work: work that came in between would not be watched.
    this.#isWatching = false
  }

  #freshen(): void {
    const { clock, limits, inTurn, isClosing, running, log } = this.#parts
    if (this.#isReading || isClosing() || clock.monotonic() - this.#readAt < limits.restMs) return
    this.#isReading = true
    void inTurn(async () => {
      this.#held = await running.held(await this.read())
    })
      .catch((error: unknown) => log('HAProxy does not answer', { error: String(error) }))
      .finally(() => (this.#isReading = false))
  }
}
