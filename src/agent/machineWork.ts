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
  /** `null` where this agent may not run maintenance on its machine. */
  host: HostDriver | null
  problems: Problems
  lateWrites: LateWrites
  clock: Clock
  logger: Logger
  changed: () => void
  /** Interval between looks at a running script, in milliseconds. */
  lookMs?: number
  /** Extra time after the script's limit before a script whose state cannot be read is given up, in milliseconds. */
  graceMs?: number
}

/**
 * Maintenance of the machine itself, once for each attempt. Each step is written to disk before it begins:
 *   script    The maintenance script runs in its own unit. Becomes `restart` or `over` when the script ends;
 *             becomes `over`, failed, when the machine was restarted meanwhile.
 *   restart   The machine is about to restart. The agent of the next start sets `over`.
 *   over      Done or failed; kept until other maintenance is requested.
 */
export class MachineWork {
  #parts: Parts
  #known: KnownWork | null
  #asked: Asked | null = null
  #orders: Orders | null = null
  #running: Promise<void> | null = null
  /** A script that has ended and whose unit still exists. */
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

  /** `null` means that the current step finishes and no further step begins. */
  want(asked: Asked | null, orders: Orders | null = null): void {
    this.#asked = asked
    this.#orders = orders
    if (asked === null || this.#running !== null || this.#closing.signal.aborted) return
    const isSettled = this.#known?.step === 'over' || this.#hasRestarted
    if (isSame(this.#known, asked) && isSettled) return
    this.#running = this.#work(asked)
      .catch((error: unknown) => this.#over(asked, false, `the agent could not do the maintenance: ${wordsOf(error)}`))
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
    if (!host) return this.#over(asked, false, 'the agent cannot do maintenance: it does not run as root under systemd')
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

  /** Returns `null` on success, otherwise the reason of the failure. */
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
      return `the machine was restarted while ${script.name} ran; remove the restart from the script, Tandem restarts the machine`
    }
    if (!begun) {
      this.#remember({ ...keyOf(asked), step: 'script', mark: host.bootMark(), ok: false, reason: '' })
      this.#parts.logger.info({ script: script.name, maintenance: asked.id }, 'starting a maintenance script')
      await host.begin(script, this.#orders?.script ?? null)
    }
    return this.#untilEnded(script, host)
  }

  async #untilEnded(script: HostScript, host: HostDriver): Promise<string | null> {
    const { clock, problems, lookMs = 500, graceMs = 60_000 } = this.#parts
    const { signal } = this.#closing
    // The driver enforces the script's own limit; this limit is for a driver that cannot report the state of the
    // script.
    const givenUpAt = clock.monotonic() + script.withinMs + graceMs
    while (!signal.aborted) {
      try {
        const seen = await host.look(script)
        problems.solved('maintenance')
        if (seen.state !== 'running') return this.#seenEnd(script, seen)
      } catch (error) {
        const words = `cannot determine whether ${script.name} still runs: ${wordsOf(error)}`
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
    return seen.state === 'failed' ? seen.reason : `the agent cannot determine how ${script.name} ended`
  }

  async #restart(asked: Asked, host: HostDriver): Promise<void> {
    // An operator stopped the maintenance meanwhile.
    if (!this.#asked || !isSame(keyOf(asked), this.#asked))
      return this.#over(asked, false, 'the maintenance was stopped before the restart')
    this.#remember({ ...keyOf(asked), step: 'restart', mark: host.bootMark(), ok: false, reason: '' })
    await this.#forgetEnded()
    this.#parts.logger.info({ maintenance: asked.id }, 'restarting the machine')
    await host.restart(this.#orders?.restart ?? null)
    this.#hasRestarted = true
  }

  #over(asked: Asked, ok: boolean, reason: string): void {
    const { mark = '' } = this.#known ?? {}
    const known: KnownWork = { ...keyOf(asked), step: 'over', mark, ok, reason }
    this.#known = known
    this.#parts.lateWrites.write('the result of maintenance', () => {
      this.#parts.disk.writeMaintenance(known)
      void this.#forgetEnded()
    })
    this.#parts.changed()
  }

  /**
   * Called only once the result is on disk: if this agent is killed before, the next agent must ask again how the
   * script ended.
   */
  async #forgetEnded(): Promise<void> {
    const script = this.#ended
    this.#ended = null
    try {
      if (script) await this.#parts.host?.forget(script)
    } catch (error) {
      this.#parts.logger.warn({ err: error, script: script?.name }, 'could not remove the unit of a maintenance script')
    }
  }

  /** Writes the next step to disk. If this throws, the step must not begin. */
  #remember(known: KnownWork): void {
    this.#parts.disk.writeMaintenance(known)
    this.#known = known
  }
}

const keyOf = ({ id, attempt }: Asked): Pick<KnownWork, 'id' | 'attempt'> => ({ id, attempt })

const isSame = (one: Pick<KnownWork, 'id' | 'attempt'> | null, asked: Asked): boolean =>
  one?.id === asked.id && one.attempt === asked.attempt

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
