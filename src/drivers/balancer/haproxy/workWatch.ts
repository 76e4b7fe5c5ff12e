import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../lib/clock.ts'
import type { BalancerChange, BalancerCounters, BalancerNumbers, InFlight } from '../balancer.ts'
import type { HaproxyLimits } from './haproxySettings.ts'
import { CountedLines } from './countedLines.ts'
import type { HeldWork } from './holds.ts'
import type { LeftoverServers } from './leftoverServers.ts'
import { Passed } from './passed.ts'
import type { RunningHaproxy } from './runningHaproxy.ts'
import { countersIn, downIn, serviceOf, workIn } from './workCounts.ts'

interface Parts {
  running: RunningHaproxy
  leftover: LeftoverServers
  limits: HaproxyLimits
  clock: Clock
  /** Runs operations with HAProxy one after the other. */
  inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>
  isClosing: () => boolean
  /** Names the counting of this process. */
  counting: string
  tell: (change: BalancerChange) => void
  log: (message: string, about: Record<string, unknown>) => void
}

/** Whether each instance takes new work. */
export type Taking = ReadonlyMap<string, boolean>

/**
 * Work in flight, over all workers of HAProxy. Statistics are read on request, and repeatedly only while an instance
 * finishes, a server is to be removed, or an old worker has yet to be read for the last time.
 */
export class WorkWatch {
  readonly #parts: Parts
  readonly #lines = new CountedLines()
  readonly #passed: Passed
  #taking: Taking = new Map()
  #work = new Map<string, InFlight>()
  #down = new Set<string>()
  /** Instances that take no new work and had some: `idle` is reported when no work is left. */
  readonly #finishing = new Set<string>()
  #held: HeldWork = { all: 0, backends: new Map() }
  #readAt = -Infinity
  #isReading = false
  #isWatching = false
  /** Ends the pause before the next reading. */
  #early: AbortController | null = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.#passed = new Passed(parts.counting)
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
    // It may rest between two readings of an old worker.
    if (this.#finishing.size > 0) this.#early?.abort()
  }

  /** Reads all workers, and reports changes. */
  async read(): Promise<void> {
    this.#take(await this.#parts.running.read())
  }

  #take({ workers, reading }: Awaited<ReturnType<RunningHaproxy['read']>>): void {
    const { running, clock } = this.#parts
    const [current] = workers
    this.#work = workIn(reading)
    this.#readAt = clock.monotonic()
    this.#lines.read(reading, workers, this.#readAt)
    running.held.wereRead(reading, { current, workers }, this.#readAt)
    for (const instance of this.#finishing) {
      if (this.#now(instance).work > 0) continue
      this.#finishing.delete(instance)
      this.#parts.tell({ type: 'idle', instance })
    }
    this.#tellOfDown(downIn(reading.get(current) ?? []))
    if (!this.#isWatching) void this.#watchUntilDone()
  }

  /** The value of the last reading. A request starts a new reading if the last one is older than `restMs`. */
  inFlight(instance: string): InFlight {
    this.#freshen()
    return this.#now(instance)
  }

  counters(): BalancerCounters {
    this.#freshen()
    return countersIn(this.#lines.sums(), this.#held.all)
  }

  /** Reads all workers. */
  async numbers(): Promise<BalancerNumbers> {
    await this.#readWithHeld()
    const held = new Map<string, number>()
    for (const [backend, count] of this.#held.backends) {
      const service = serviceOf(backend)
      if (service !== null) held.set(service, (held.get(service) ?? 0) + count)
    }
    return this.#passed.numbers(this.#lines.sums(), (instance) => this.#now(instance).work, held)
  }

  async #readWithHeld(): Promise<void> {
    const { held, ...read } = await this.#parts.running.readWithHeld()
    this.#held = held
    this.#take(read)
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
    const { limits, leftover, running, inTurn, isClosing, log } = this.#parts
    const isFinishing = (): boolean => this.#finishing.size > 0 || leftover.size > 0
    let pauseMs = limits.watchMs
    this.#isWatching = true
    while (!isClosing() && (isFinishing() || running.held.old > 0)) {
      pauseMs = isFinishing() ? limits.watchMs : Math.min(pauseMs * 2, limits.oldWorkerReadMs)
      this.#early = new AbortController()
      await pause(pauseMs, undefined, { ref: false, signal: this.#early.signal }).catch(() => {})
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
    const { clock, limits, inTurn, isClosing, log } = this.#parts
    if (this.#isReading || isClosing() || clock.monotonic() - this.#readAt < limits.restMs) return
    this.#isReading = true
    void inTurn(() => this.#readWithHeld())
      .catch((error: unknown) => log('HAProxy does not answer', { error: String(error) }))
      .finally(() => (this.#isReading = false))
  }
}
