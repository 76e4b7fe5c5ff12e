import type { Definition } from '../definitions/definition.ts'
import type { Claimed, ExitStatus, InstanceSpec, MainEnd, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { Backoff } from '../lib/backoff.ts'
import { sleep, type Clock } from '../lib/clock.ts'
import type { InstanceState } from '../protocol/services.ts'
import { instanceLimits, readyProbeMs, type InstanceLimits } from './instanceLimits.ts'
import type { RememberedInstance } from './services/instanceMemory.ts'
import { describeEnd } from './describeEnd.ts'
import type { Loopback } from './loopback.ts'
import type { ProbeResult } from './probe.ts'
import { InstanceProbe, type CommandProbe } from './probing/instanceProbe.ts'

/*
 * One instance on this machine, from its start until nothing of the instance is left:
 *   starting  The release is fetched and verified, the process started, the probe sent every `health.every`, the first
 *             one after `health.delay`. A probe is a request, a connection, or a command beside the instance.
 *             Becomes `ready` on the first good answer; becomes `failed` when the process ends or `health.within` has
 *             passed (probing continues: an instance that becomes ready late is ready).
 *   ready     Probed every 2 s, less often where there are many instances. Becomes `failed` after three consecutive
 *             misses, or when the process ends.
 *   failed    After misses: until one probe succeeds. After an end: restarted with a growing delay, for ever, by the
 *             supervisor where the supervisor restarts on its own. Stays `failed` until it is ready; otherwise a crash
 *             loop would look like a start.
 *   draining  The stop was requested: idle connections are closed, the signal is sent, the grace runs.
 *   stopped   Nothing of the instance is left. This state is final.
 */

/** State of an instance that ran before this agent started: `serving` if it receives requests. */
export type Adopted = 'serving' | 'running'

interface Asked {
  id: string
  release: string
  definition: Definition
  /** `null` if the instance has yet to be started. */
  adopted?: Adopted | null
  /** State that the previous agent remembered. */
  remembered?: RememberedInstance | null
}

interface Parts {
  supervisor: SupervisorDriver
  /** Fetches and verifies the release and expands the definition; called for each start. */
  prepareStart: (signal: AbortSignal) => Promise<{ spec: InstanceSpec; port: number | null }>
  /** Called for each life of an instance that is probed by a command. */
  prober: (port: number | null, signal: AbortSignal) => CommandProbe
  /** Called at every change that operators or the balancer must see. */
  changed: () => void
  /** Called at every failure, with this instance. */
  failed: (instance: LocalInstance) => void
  /** Returns how many instances are probed on this machine. */
  crowd: () => number
  loopback: Loopback
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
  /** True during a crash loop: from the first failure until the instance has been healthy for a while. */
  unstable = false
  /** True from the moment it became ready until the balancer follows that, or has failed to. */
  awaitsRoute = false
  since: number
  #parts: Parts
  #limits: InstanceLimits
  #stopping = new AbortController()
  #running: Promise<void>
  #exited = Promise.withResolvers<ExitStatus>()
  /** Pid of the process that the supervisor has started on its own; `null`: it cannot. */
  #restarted = Promise.withResolvers<number | null>()
  #judged = Promise.withResolvers<void>()
  #everReady = false
  /** True once the main process has ended: another process may answer on the port from then on. */
  #mainIsGone = false
  /**
   * A process ended before it was ready, and none has been ready since: the next start is no new start for
   * `health.within`.
   */
  #endedUnready = false
  /** State before this agent started, kept until the agent knows whether the state still holds. */
  #before: Pick<RememberedInstance, 'state' | 'since'> | null
  #adopted: Adopted | null
  /** True if requests went to the instance when this agent started and no probe has shown it unhealthy since. */
  #isPresumedWell = false
  /** How long the process ran before this agent watched it. */
  #ageMs = 0
  /** Set while the instance is watched. */
  #probe: InstanceProbe | null = null

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

  /** Share of one processor that the command of its probes uses; `null`: not measured, or there is none. */
  get probeShare(): number | null {
    return this.#probe?.share ?? null
  }

  /** State that the next agent must know. */
  get remembered(): RememberedInstance {
    const { state, since } = this.#before ?? this
    return { state, since, restarts: this.restarts }
  }

  /**
   * Whether requests may go to it. An instance that served before this agent started serves until probes show that it
   * fails.
   */
  get serves(): boolean {
    return this.state === 'ready' || (this.state === 'starting' && this.#isPresumedWell)
  }

  /**
   * Called by the listener on the supervisor: the main process ended, and its remaining processes are being stopped.
   */
  mainEnded(end: MainEnd): void {
    if (this.#stopping.signal.aborted || this.pid !== end.pid) return
    this.#mainIsGone = true
    this.#ended(end)
  }

  /** Called by the listener on the supervisor: the process ended. */
  exited(status: ExitStatus): void {
    this.#exited.resolve(status)
  }

  /** Called by the listener on the supervisor: the supervisor restarted the process on its own. */
  restarted(pid: number): void {
    // The end of the process that starts here may be reported in the same turn of the event loop.
    this.#exited = Promise.withResolvers()
    this.#restarted.resolve(pid)
  }

  /** Called by the listener on the supervisor: it cannot restart the process, and nothing of the instance is left. */
  notRestarted(): void {
    this.#restarted.resolve(null)
    // If a restart came before, and nobody has seen it yet, it is over too.
    this.#restarted = Promise.withResolvers()
    this.#restarted.resolve(null)
  }

  /**
   * Resolves once the agent knows whether the instance is healthy: the first probe has a result, or the start failed.
   */
  judged(): Promise<void> {
    return this.#judged.promise
  }

  /** Releases the instance and leaves its process running, for the next agent to adopt. */
  async leave(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /**
   * Stops the instance for good. `release` closes idle connections to it first. Resolves when nothing of it is left.
   */
  async stop(release: () => Promise<void>): Promise<void> {
    if (this.state !== 'stopped') this.#enter('draining', null)
    this.#stopping.abort()
    await release()
    await this.#parts.supervisor.stop(this.id)
    await this.#running
    // A process whose start was in progress at the first call exists by now.
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
      if (!exit?.again) await sleep(this.#parts.clock, backoff.next(), signal)
    }
  }

  /** Runs one process from start to end. Every failure ends in state `failed` with its reason. */
  async #live(signal: AbortSignal, again: boolean): Promise<ExitStatus | null> {
    try {
      const pid = again ? await this.#untilRestarted(signal) : await this.#start(signal)
      if (signal.aborted || pid === null) return null
      this.pid = pid
    } catch (error) {
      if (!signal.aborted) this.#fail(`could not be started: ${wordsOf(error)}`)
      return null
    }
    if (this.state === 'failed' && (this.unstable || this.#endedUnready)) this.#parts.changed()
    else this.#enter('starting', null)
    this.#mainIsGone = false
    const exit = await this.#watchToItsEnd(signal)
    this.#ageMs = 0
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

  /** Claims a running instance from the supervisor. It checks no release and chooses no port: clients are waiting. */
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

  /** Restores what is known about the process. It may have been restarted while no agent watched. */
  #recall({ startedAt, restarts }: Claimed): void {
    this.restarts = Math.max(this.restarts, restarts)
    if (startedAt !== null) this.#ageMs = Math.max(0, this.#parts.clock.now() - startedAt)
    const isSameLife = this.#before !== null && (startedAt === null || this.#before.since >= startedAt)
    if (!isSameLife) this.#before = startedAt === null ? null : { state: 'ready', since: startedAt }
    if (this.#before?.state === this.state) this.since = this.#before.since
  }

  /** For an instance that was stopped by hand before this agent started, or that systemd is about to restart. */
  async #untilRunsAgain(signal: AbortSignal): Promise<number | null> {
    this.#fail('does not run: the process was stopped outside Tandem, or systemd has yet to restart it')
    this.#judged.resolve()
    return this.#untilRestarted(signal)
  }

  /**
   * Waits without limit: an operator may have stopped the instance. Returns `null` when the signal is aborted, or when
   * the supervisor cannot restart it.
   */
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

  /** Watches until the process ends; returns `null` when the signal is aborted. */
  async #watchToItsEnd(signal: AbortSignal): Promise<ExitStatus | null> {
    const over = new AbortController()
    const end = (): void => over.abort()
    const stopped = Promise.withResolvers<null>()
    const stop = (): void => stopped.resolve(null)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const exit = Promise.race([this.#exited.promise, stopped.promise]).finally(end)
    const command = this.definition.health.command ? this.#parts.prober(this.port, over.signal) : null
    const probe = (this.#probe = new InstanceProbe(this, { ...this.#parts, command }))
    try {
      await this.#watch(probe, over.signal)
      return await exit
    } finally {
      signal.removeEventListener('abort', stop)
      await probe.close()
      this.#probe = null
    }
  }

  /** Probes until the signal is aborted: first for readiness, then for health. */
  async #watch(probe: InstanceProbe, signal: AbortSignal): Promise<void> {
    const { withinMs, settleMs, delayMs = 0 } = this.definition.health
    const startedAt = this.#elapsed()
    let misses = 0
    let wellSince: number | null = null
    const firstMs = Math.max(delayMs - this.#ageMs, this.definition.listen === 'none' ? settleMs : 0)
    if (firstMs > 0) await sleep(this.#parts.clock, firstMs, signal)
    while (!signal.aborted) {
      const result = await probe.ask(signal, this.state === 'ready')
      if (signal.aborted || this.#mainIsGone) return
      queueMicrotask(() => this.#judged.resolve()) // the state that follows from the result is set by then
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
      await sleep(this.#parts.clock, this.#nextProbeMs(result), signal)
    }
  }

  /** The reason of a closed port is looked up only for a report: many ports are closed for a while. */
  #reasonOf(reason: string, isClosed = false): Promise<string> | string {
    return isClosed && this.port !== null ? this.#parts.loopback.closedPortReason(this.port) : reason
  }

  /** `health.every` is the probe interval of a service; a port that is still closed may be tried more often. */
  #nextProbeMs(result: ProbeResult): number {
    const { everyMs, command } = this.definition.health
    const isProbed = command !== undefined || this.definition.listen !== 'none'
    if (this.state === 'ready' || !isProbed) {
      const usualMs = readyProbeMs(result.ok, this.#parts.crowd(), this.#elapsed(), this.#limits)
      // A command may be expensive: a longer `every` holds for it while the instance is ready too.
      return command === undefined || !result.ok ? usualMs : Math.max(usualMs, everyMs)
    }
    const isOpening = this.state === 'starting' && !result.ok && result.isClosed
    return isOpening ? Math.min(everyMs, this.#limits.closedProbeMs) : everyMs
  }

  #well(forMs: number): void {
    this.#everReady = true
    this.#endedUnready = false
    const steadyAgain = this.unstable && forMs >= this.#limits.steadyMs
    if (steadyAgain) this.unstable = false
    if (this.state !== 'ready') this.awaitsRoute = !this.#isPresumedWell
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
    this.#parts.failed(this)
  }

  #enter(state: InstanceState, reason: string | null): void {
    if (this.state !== state) this.since = this.#before?.state === state ? this.#before.since : this.#parts.clock.now()
    if (state !== 'starting') this.#before = null
    this.state = state
    this.reason = reason
    this.#parts.changed()
  }

  /** Milliseconds of a clock that nothing sets back. */
  #elapsed(): number {
    return this.#parts.clock.monotonic()
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
