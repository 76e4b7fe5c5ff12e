import type { Definition } from '../definitions/definition.ts'
import type { Claimed, ExitStatus, InstanceSpec, MainEnd, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { Backoff, pause } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { InstanceState } from '../protocol/report.ts'
import { closedPortReason } from './closedPort.ts'
import { instanceLimits, readyProbeMs, type InstanceLimits } from './instanceLimits.ts'
import type { RememberedInstance } from './instanceMemory.ts'
import { describeEnd } from './describeEnd.ts'
import { probe, type ProbeResult } from './probe.ts'

/*
 * One instance on this machine, from its start until nothing of it is left:
 *   starting  its release is fetched and verified, its process started, its probe asked every `health.every`.
 *             Left for `ready` on the first good answer; for `failed` when the process ends, or `health.within` has
 *             passed (it goes on being probed: one that becomes ready late is ready).
 *   ready     probed every 2 s, less often where there are many. Left for `failed` after three misses in a row, or when the process ends.
 *   failed    after misses: until one success. After an end: started again with a growing wait, never given up, by the
 *             supervisor where that restarts by itself; and `failed` until it is ready, or a crash loop would be seen as a start.
 *   draining  its stop was asked: idle connections are closed, the signal sent, the grace waited for.
 *   stopped   nothing of it is left. Never left again.
 */

/** How one is that ran before this agent did: whether requests go to it. */
export type Adopted = 'serving' | 'running'

interface Asked {
  id: string
  release: string
  definition: Definition
  /** `null`: it is to be started. */
  adopted?: Adopted | null
  /** By the agent before this one. */
  remembered?: RememberedInstance | null
}

interface Parts {
  supervisor: SupervisorDriver
  /** Fetches, verifies and expands what it takes to start; called for each start. */
  prepareStart: (signal: AbortSignal) => Promise<{ spec: InstanceSpec; port: number | null }>
  /** Called at every change that people or the balancer should know of. */
  changed: () => void
  /** How many instances are probed on this machine. */
  crowd: () => number
  clock: Clock
  random: () => number
  limits?: Partial<InstanceLimits>
}

export class LocalInstance {
  readonly id: string
  readonly release: string
  readonly definition: Definition
  state: InstanceState = 'starting'
  reason: string | null = null
  port: number | null = null
  pid: number | null = null
  restarts = 0
  /** One crash loop: from the first failure until it has been well for a while. */
  unstable = false
  since: number
  #parts: Parts
  #limits: InstanceLimits
  #stopping = new AbortController()
  #running: Promise<void>
  #exited = Promise.withResolvers<ExitStatus>()
  /** The pid of the life that the supervisor began by itself, once it has. */
  #restarted = Promise.withResolvers<number>()
  #judged = Promise.withResolvers<void>()
  #everReady = false
  /** Of this life: nothing that answers is it any more. */
  #mainIsGone = false
  /** A life ended before it was ready, and none has been ready since: the next is no new start, and `within` no new clock. */
  #endedUnready = false
  /** How it was before this agent came: until it is known whether it still is. */
  #before: Pick<RememberedInstance, 'state' | 'since'> | null
  #adopted: Adopted | null
  /** Requests went to it when this agent came, and it has not shown that it is unwell. */
  #isPresumedWell = false

  constructor({ id, release, definition, adopted = null, remembered = null }: Asked, parts: Parts) {
    this.id = id
    this.release = release
    this.definition = definition
    this.#parts = parts
    this.#limits = { ...instanceLimits, ...parts.limits }
    this.since = parts.clock.now()
    this.#adopted = adopted
    this.#before = remembered
    this.restarts = remembered?.restarts ?? 0
    this.#running = this.#run()
  }

  /** What the next agent is to know of it. */
  get remembered(): RememberedInstance {
    const { state, since } = this.#before ?? this
    return { state, since, restarts: this.restarts }
  }

  /** Requests may go there. What served before this agent came goes on until it shows that it does not. */
  get serves(): boolean {
    return this.state === 'ready' || (this.state === 'starting' && this.#isPresumedWell)
  }

  /** Its main process ended, and what that left is being ended; told by whoever listens to the supervisor. */
  mainEnded(end: MainEnd): void {
    if (this.#stopping.signal.aborted || this.pid !== end.pid) return
    this.#mainIsGone = true
    this.#ended(end)
  }

  /** The process ended; told by whoever listens to the supervisor. */
  exited(status: ExitStatus): void {
    this.#exited.resolve(status)
  }

  /** The supervisor started it again by itself; told by whoever listens to it. */
  restarted(pid: number): void {
    // The end of the life that begins may be told in the same turn.
    this.#exited = Promise.withResolvers()
    this.#restarted.resolve(pid)
  }

  /** Resolves once it is known whether it is well: its first probe was answered or not, or it could not be started. */
  judged(): Promise<void> {
    return this.#judged.promise
  }

  /** Lets go of it and leaves its process running, for the next agent to adopt. */
  async leave(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** Ends it for good. `release` closes idle connections to it first; resolves when nothing of it is left. */
  async stop(release: () => Promise<void>): Promise<void> {
    if (this.state !== 'stopped') this.#enter('draining', null)
    this.#stopping.abort()
    await release()
    await this.#parts.supervisor.stop(this.id)
    await this.#running
    // What was only being started at the first call is there by now.
    await this.#parts.supervisor.stop(this.id)
    this.pid = null
    this.#enter('stopped', null)
  }

  async #run(): Promise<void> {
    const { restart } = this.#limits
    const backoff = new Backoff(restart, this.#parts.random)
    const { signal } = this.#stopping
    let exit: ExitStatus | null = null
    while (!signal.aborted) {
      const startedAt = this.#elapsed()
      exit = await this.#live(signal, exit?.again === true)
      this.#judged.resolve()
      if (signal.aborted) return
      this.restarts++
      if (this.#elapsed() - startedAt > restart.mostMs) backoff.reset()
      if (!exit?.again) await pause(backoff.next(), signal)
    }
  }

  /** One life of its process, from start to end. Every failure ends in state `failed` with its reason. */
  async #live(signal: AbortSignal, again: boolean): Promise<ExitStatus | null> {
    try {
      const pid = again ? await this.#untilRestarted(signal) : await this.#start(signal)
      if (signal.aborted) return null
      this.pid = pid
    } catch (error) {
      if (!signal.aborted) this.#fail(`could not be started: ${wordsOf(error)}`)
      return null
    }
    if (this.state === 'failed' && (this.unstable || this.#endedUnready)) this.#parts.changed()
    else this.#enter('starting', null)
    this.#mainIsGone = false
    const exit = await this.#watchToItsEnd(signal)
    if (exit && !signal.aborted) this.#ended(exit)
    return exit
  }

  #ended(end: MainEnd): void {
    this.pid = null
    this.#endedUnready ||= !this.#everReady
    this.#fail(describeEnd(end, this.#everReady))
  }

  async #start(signal: AbortSignal): Promise<number | null> {
    this.#exited = Promise.withResolvers()
    const claimed = this.#claim()
    if (!claimed) this.#before = null
    if (claimed) return claimed.pid ?? this.#untilRunsAgain(signal)
    const { spec, port } = await this.#parts.prepareStart(signal)
    if (signal.aborted) return null
    this.port = port
    return (await this.#parts.supervisor.start(spec)).pid
  }

  /** Its release is not looked at and no port is chosen: it runs, and people wait. */
  #claim(): Claimed | null {
    const adopted = this.#adopted
    if (adopted === null) return null
    this.#adopted = null
    const claimed = this.#parts.supervisor.claim?.(this.id) ?? null
    if (!claimed) return null
    this.#recall(claimed)
    this.port = claimed.port
    this.#isPresumedWell = claimed.pid !== null && adopted === 'serving'
    return claimed
  }

  /** Of a life that was there before: it may have been started again while no agent looked. */
  #recall({ startedAt, restarts }: Claimed): void {
    this.restarts = Math.max(this.restarts, restarts)
    const isSameLife = this.#before !== null && (startedAt === null || this.#before.since >= startedAt)
    if (!isSameLife) this.#before = startedAt === null ? null : { state: 'ready', since: startedAt }
    if (this.#before?.state === this.state) this.since = this.#before.since
  }

  /** It was stopped by a person before this agent came, or is about to be started again by systemd. */
  async #untilRunsAgain(signal: AbortSignal): Promise<number | null> {
    this.#fail('does not run: it was stopped outside Tandem, or waits to be started again')
    this.#judged.resolve()
    return this.#untilRestarted(signal)
  }

  /** However long that takes: a person may have stopped it. `null` at the signal. */
  async #untilRestarted(signal: AbortSignal): Promise<number | null> {
    const aborted = Promise.withResolvers<null>()
    const abort = (): void => aborted.resolve(null)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    const pid = await Promise.race([this.#restarted.promise, aborted.promise])
    signal.removeEventListener('abort', abort)
    this.#restarted = Promise.withResolvers()
    return pid
  }

  /** Watches until its process ends, or until the signal: then `null`. */
  async #watchToItsEnd(signal: AbortSignal): Promise<ExitStatus | null> {
    const over = new AbortController()
    const end = (): void => over.abort()
    const stopped = Promise.withResolvers<null>()
    const stop = (): void => stopped.resolve(null)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const exit = Promise.race([this.#exited.promise, stopped.promise]).finally(end)
    try {
      await this.#watch(over.signal)
      return await exit
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Probes until the signal: first for readiness, then for health. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { withinMs, settleMs } = this.definition.health
    const startedAt = this.#elapsed()
    let misses = 0
    let wellSince: number | null = null
    if (this.definition.listen === 'none') await pause(settleMs, signal)
    while (!signal.aborted) {
      const result = await this.#ask(signal)
      if (signal.aborted || this.#mainIsGone) return
      queueMicrotask(() => this.#judged.resolve()) // what it leads to is known by then
      const now = this.#elapsed()
      if (result.ok) {
        misses = 0
        wellSince ??= now
        this.#well(now - wellSince)
      } else {
        if (result.isUnseen !== true) misses++
        wellSince = null
        const failure =
          this.state === 'ready' && misses >= this.#limits.misses
            ? `missed ${misses} probes`
            : this.state === 'starting' && now - startedAt >= withinMs
              ? `was not ready within ${withinMs / 1000} s`
              : null
        if (failure !== null) {
          const reason = await this.#reasonOf(result.reason, result.isClosed)
          if (signal.aborted) return
          this.#fail(`${failure}: ${reason}`)
        }
        if (this.#isPresumedWell && misses >= this.#limits.misses) this.#presumeNoMore()
      }
      await pause(this.#nextProbeMs(result), signal)
    }
  }

  /** Looked at only when it is told: many a port is closed for a while. */
  #reasonOf(reason: string, isClosed = false): Promise<string> | string {
    return isClosed && this.port !== null ? closedPortReason(this.port) : reason
  }

  /** `health.every` is how often a service is asked; a port that is still closed may be tried more often. */
  #nextProbeMs(result: ProbeResult): number {
    const { everyMs } = this.definition.health
    if (this.state === 'ready' || this.definition.listen === 'none')
      return readyProbeMs(result.ok, this.#parts.crowd(), this.#elapsed(), this.#limits)
    const isOpening = this.state === 'starting' && !result.ok && result.isClosed
    return isOpening ? Math.min(everyMs, this.#limits.closedProbeMs) : everyMs
  }

  async #ask(signal: AbortSignal): Promise<ProbeResult> {
    if (this.port === null || this.definition.listen === 'none') return { ok: true }
    const result = await probe(this.definition, this.port, signal)
    if (!result.ok || this.state === 'ready') return result
    try {
      return await this.#askWhose(this.port)
    } catch (error) {
      return {
        ok: false,
        reason: `who listens on port ${this.port} could not be seen: ${wordsOf(error)}`,
        isUnseen: true,
      }
    }
  }

  /** Something else on that port must not be taken for it. */
  async #askWhose(port: number): Promise<ProbeResult> {
    if (await this.#parts.supervisor.ownsSocket(this.id, port)) return { ok: true }
    const owner = await this.#parts.supervisor.whoOwns(port)
    return { ok: false, reason: `port ${port} is answered by another process${owner ? ` (${owner.command})` : ''}` }
  }

  #well(forMs: number): void {
    this.#everReady = true
    this.#endedUnready = false
    const steadyAgain = this.unstable && forMs >= this.#limits.steadyMs
    if (steadyAgain) this.unstable = false
    this.#isPresumedWell = false
    if (this.state !== 'ready') this.#enter('ready', this.unstable ? this.reason : null)
    else if (steadyAgain) this.#enter('ready', null)
  }

  #presumeNoMore(): void {
    this.#isPresumedWell = false
    this.#parts.changed()
  }

  #fail(reason: string): void {
    this.#isPresumedWell = false
    if (this.#everReady) this.unstable = true
    this.#enter('failed', reason)
  }

  #enter(state: InstanceState, reason: string | null): void {
    if (this.state !== state) this.since = this.#before?.state === state ? this.#before.since : this.#parts.clock.now()
    if (state !== 'starting') this.#before = null
    this.state = state
    this.reason = reason
    this.#parts.changed()
  }

  /** Milliseconds that no setting of the clock moves. */
  #elapsed(): number {
    return this.#parts.clock.monotonic()
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
