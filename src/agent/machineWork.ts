import type { Logger } from 'pino'
import type { HostDriver, HostScript, ScriptState } from '../drivers/host/host.ts'
import { pause } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Report } from '../protocol/report.ts'
import type { AgentDisk, KnownWork } from './agentDisk.ts'
import { shortened } from './agentReport.ts'
import type { LateWrites } from './lateWrites.ts'
import type { Problems } from './problems.ts'

type Asked = NonNullable<DesiredState['maintenance']>
type Orders = DesiredState['orders']

interface Parts {
  disk: AgentDisk
  /** `null` where this agent may not work on its machine. */
  host: HostDriver | null
  problems: Problems
  lateWrites: LateWrites
  clock: Clock
  logger: Logger
  changed: () => void
  /** How often a script that runs is looked at, ms. */
  lookMs?: number
  /** How long after its limit one is given up that cannot be looked at, ms. */
  graceMs?: number
}

/**
 * Work on the machine itself, once for each attempt. What is being done is on disk before it is:
 *   script    its script runs, as a unit of its own. Left for `restart` or `over` when it ends; for `over`, failed, when
 *             the machine was started meanwhile.
 *   restart   the machine is to be restarted. Left for `over` by the agent of the next start.
 *   over      done or failed; kept until other work is asked for.
 */
export class MachineWork {
  #parts: Parts
  #known: KnownWork | null
  #asked: Asked | null = null
  #orders: Orders | null = null
  #running: Promise<void> | null = null
  /** Has ended, and what it left is still there. */
  #ended: HostScript | null = null
  #hasRestarted = false
  #closing = new AbortController()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#known = parts.disk.readMaintenance()
  }

  result(): Report['maintenance'] {
    if (!this.#known) return null
    const { id, attempt, step, ok, reason } = this.#known
    return { id, attempt, ok: step === 'over' ? ok : null, reason: shortened(reason) }
  }

  /** `null`: what was begun is finished as far as it has come, and goes no further. */
  want(asked: Asked | null, orders: Orders | null = null): void {
    this.#asked = asked
    this.#orders = orders
    if (asked === null || this.#running !== null || this.#closing.signal.aborted) return
    const isSettled = this.#known?.step === 'over' || this.#hasRestarted
    if (isSame(this.#known, asked) && isSettled) return
    this.#running = this.#work(asked)
      .catch((error: unknown) => this.#over(asked, false, `it could not be done: ${wordsOf(error)}`))
      .finally(() => {
        this.#running = null
        if (this.#asked && !isSame(this.#known, this.#asked)) this.want(this.#asked, this.#orders)
      })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #work(asked: Asked): Promise<void> {
    const { host } = this.#parts
    if (!host) return this.#over(asked, false, 'its agent cannot work on the machine: it is not root under systemd')
    const begun = isSame(this.#known, asked) ? this.#known : null
    const wasStarted = begun !== null && begun.mark !== host.bootMark()
    if (begun?.step === 'restart') return wasStarted ? this.#over(asked, true, '') : this.#restart(asked, host)
    if (asked.script) {
      const failure = await this.#runScript(asked, asked.script, host, begun, wasStarted)
      if (this.#closing.signal.aborted) return
      if (failure !== null) return this.#over(asked, false, failure)
    }
    if (!asked.restart) return this.#over(asked, true, '')
    await this.#restart(asked, host)
  }

  /** `null` when it went well, otherwise why not. */
  async #runScript(
    asked: Asked,
    about: NonNullable<Asked['script']>,
    host: HostDriver,
    begun: KnownWork | null,
    wasStarted: boolean,
  ): Promise<string | null> {
    const script = { ...about, id: `${asked.id}-${asked.attempt}` }
    if (wasStarted) {
      this.#ended = script
      return `the machine was restarted while ${script.name} ran; leave restarting to Tandem`
    }
    if (!begun) {
      this.#remember({ ...keyOf(asked), step: 'script', mark: host.bootMark(), ok: false, reason: '' })
      this.#parts.logger.info({ script: script.name, maintenance: asked.id }, 'a script of maintenance begins')
      await host.begin(script, this.#orders?.script ?? null)
    }
    return this.#untilEnded(script, host)
  }

  async #untilEnded(script: HostScript, host: HostDriver): Promise<string | null> {
    const { clock, problems, lookMs = 500, graceMs = 60_000 } = this.#parts
    const { signal } = this.#closing
    // The driver holds the script's own limit; this one is for a driver that cannot say how it goes.
    const givenUpAt = clock.monotonic() + script.withinMs + graceMs
    while (!signal.aborted) {
      try {
        const seen = await host.look(script)
        problems.solved('maintenance')
        if (seen.state !== 'running') return this.#seenEnd(script, seen)
      } catch (error) {
        const words = `how ${script.name} goes is not known: ${wordsOf(error)}`
        if (clock.monotonic() >= givenUpAt) {
          problems.solved('maintenance')
          return words
        }
        problems.add('maintenance', words)
      }
      await pause(lookMs, signal)
    }
    return null
  }

  #seenEnd(script: HostScript, seen: Exclude<ScriptState, { state: 'running' }>): string | null {
    this.#ended = script
    if (seen.state === 'ok') return null
    return seen.state === 'failed' ? seen.reason : `how ${script.name} ended is not known`
  }

  async #restart(asked: Asked, host: HostDriver): Promise<void> {
    // Stopped by a person meanwhile.
    if (!this.#asked || !isSame(keyOf(asked), this.#asked))
      return this.#over(asked, false, 'stopped before the restart')
    this.#remember({ ...keyOf(asked), step: 'restart', mark: host.bootMark(), ok: false, reason: '' })
    await this.#forgetEnded()
    this.#parts.logger.info({ maintenance: asked.id }, 'the machine restarts')
    await host.restart(this.#orders?.restart ?? null)
    this.#hasRestarted = true
  }

  #over(asked: Asked, ok: boolean, reason: string): void {
    const { mark = '' } = this.#known ?? {}
    const known: KnownWork = { ...keyOf(asked), step: 'over', mark, ok, reason }
    this.#known = known
    this.#parts.lateWrites.write('how maintenance ended', () => {
      this.#parts.disk.writeMaintenance(known)
      void this.#forgetEnded()
    })
    this.#parts.changed()
  }

  /** Only once its end is on disk: the agent that follows one that was killed before asks again how it ended. */
  async #forgetEnded(): Promise<void> {
    const script = this.#ended
    this.#ended = null
    try {
      if (script) await this.#parts.host?.forget(script)
    } catch (error) {
      this.#parts.logger.warn({ err: error, script: script?.name }, 'what a script of maintenance left stays')
    }
  }

  /** What is about to be done; it may not be done when this throws. */
  #remember(known: KnownWork): void {
    this.#parts.disk.writeMaintenance(known)
    this.#known = known
  }
}

const keyOf = ({ id, attempt }: Asked): Pick<KnownWork, 'id' | 'attempt'> => ({ id, attempt })

const isSame = (one: Pick<KnownWork, 'id' | 'attempt'> | null, asked: Asked): boolean =>
  one?.id === asked.id && one.attempt === asked.attempt

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
