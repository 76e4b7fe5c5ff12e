import type { Logger } from 'pino'
import type { DesiredState } from '../protocol/desiredState.ts'
import { preparedKept, type AgentDisk, type Prepared } from './agentDisk.ts'
import type { Programs } from './programs.ts'

/**
 * Runs `prepare` once per rollout. That it began is written down before it does: after a crash of the agent it is
 * reported as failed rather than run twice, since half a migration run again may do harm.
 */
export class Preparer {
  #disk: AgentDisk
  #programs: Programs
  #logger: Logger
  #changed: () => void
  #known: Prepared[]
  #running = new Map<string, AbortController>()

  constructor(disk: AgentDisk, programs: Programs, logger: Logger, changed: () => void) {
    this.#disk = disk
    this.#programs = programs
    this.#logger = logger
    this.#changed = changed
    this.#known = disk.readPrepared().map((one) => (one.finished ? one : { ...one, finished: true }))
  }

  results(): Prepared[] {
    return this.#known.filter(({ finished }) => finished)
  }

  want(desired: DesiredState): void {
    for (const [rollout, stop] of this.#running) {
      if (!desired.prepare.some((one) => one.rollout === rollout)) stop.abort()
    }
    for (const { rollout, service, release } of desired.prepare) {
      const definition = desired.definitions[release]
      if (!definition || this.#known.some((one) => one.rollout === rollout)) continue
      const stop = new AbortController()
      this.#running.set(rollout, stop)
      this.#remember({ rollout, ok: false, reason: 'the agent ended while it ran', finished: false })
      void this.#run(rollout, { id: `${service}-${rollout}-prepare`, release, definition }, stop.signal)
    }
  }

  close(): void {
    for (const stop of this.#running.values()) stop.abort()
  }

  async #run(rollout: string, asked: Parameters<Programs['prepare']>[0], signal: AbortSignal): Promise<void> {
    let result: Pick<Prepared, 'ok' | 'reason'>
    try {
      const { ended } = await this.#programs.begin(await this.#programs.prepare(asked, signal), signal)
      const exit = await ended
      const ok = exit.code === 0 && exit.reason === 'exit'
      result = {
        ok,
        reason: ok ? '' : exit.code === null ? `ended by ${exit.signal}` : `exited with status ${exit.code}`,
      }
    } catch (error) {
      this.#logger.warn({ err: error, rollout }, 'prepare could not run')
      result = { ok: false, reason: error instanceof Error ? error.message : String(error) }
    }
    this.#running.delete(rollout)
    this.#remember({ rollout, ...result, finished: true })
    this.#changed()
  }

  #remember(prepared: Prepared): void {
    this.#known = [...this.#known.filter(({ rollout }) => rollout !== prepared.rollout), prepared].slice(-preparedKept)
    this.#disk.writePrepared(this.#known)
  }
}
