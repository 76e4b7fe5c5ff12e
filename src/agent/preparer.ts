import type { Logger } from 'pino'
import type { Definition } from '../definitions/definition.ts'
import { prepareInstance } from '../definitions/names.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import { preparedKept, type AgentDisk, type Prepared } from './agentDisk.ts'
import type { LateWrites } from './lateWrites.ts'
import type { Problems } from './problems.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'

interface Parts {
  disk: AgentDisk
  launcher: ReleaseLauncher
  problems: Problems
  lateWrites: LateWrites
  logger: Logger
  changed: () => void
}

type Wanted = DesiredState['prepare'][number]

/**
 * Runs `prepare` once per rollout. The start is written to disk before `prepare` begins: after a crash of the agent,
 * `prepare` is reported as failed rather than run twice, since repeating half a migration may do harm.
 */
export class Preparer {
  #parts: Parts
  #known: Prepared[]
  #running = new Map<string, AbortController>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#known = parts.disk.readPrepared().map((one) => (one.finished ? one : { ...one, finished: true }))
  }

  results(): Prepared[] {
    return this.#known.filter(({ finished }) => finished)
  }

  /** A `prepare` that cannot begin is a problem until a later call can begin it, or until it is no longer wanted. */
  want(desired: DesiredState): void {
    for (const [rollout, stop] of this.#running) {
      if (!desired.prepare.some((one) => one.rollout === rollout)) stop.abort()
    }
    const failures: unknown[] = []
    for (const wanted of desired.prepare) {
      const definition = desired.definitions[wanted.release]
      if (!definition || this.#known.some(({ rollout }) => rollout === wanted.rollout)) continue
      try {
        this.#begin(wanted, definition)
      } catch (error) {
        failures.push(error)
      }
    }
    const { problems } = this.#parts
    if (failures.length === 0) problems.solved('prepare')
    else problems.add('prepare', failures[0])
  }

  close(): void {
    for (const stop of this.#running.values()) stop.abort()
  }

  /** Writes to disk first: if the write fails, nothing has begun. */
  #begin({ rollout, service, release }: Wanted, definition: Definition): void {
    const known = this.#with({ rollout, ok: false, reason: 'the agent ended while prepare ran', finished: false })
    this.#parts.disk.writePrepared(known)
    this.#known = known
    const stop = new AbortController()
    this.#running.set(rollout, stop)
    void this.#run(rollout, { id: prepareInstance(service, rollout), release, definition }, stop.signal)
  }

  async #run(rollout: string, asked: Parameters<ReleaseLauncher['prepare']>[0], signal: AbortSignal): Promise<void> {
    const { disk, launcher, lateWrites, logger, changed } = this.#parts
    let result: Pick<Prepared, 'ok' | 'reason'>
    try {
      const { ended } = await launcher.begin(await launcher.prepare(asked, signal), signal)
      const exit = await ended
      const ok = exit.code === 0 && exit.reason === 'exit'
      result = {
        ok,
        reason: ok ? '' : exit.code === null ? `killed by ${exit.signal}` : `exited with status ${exit.code}`,
      }
    } catch (error) {
      logger.warn({ err: error, rollout }, 'could not run prepare')
      result = { ok: false, reason: error instanceof Error ? error.message : String(error) }
    }
    this.#running.delete(rollout)
    this.#known = this.#with({ rollout, ...result, finished: true })
    lateWrites.write('the result of prepare', () => disk.writePrepared(this.#known))
    changed()
  }

  #with(prepared: Prepared): Prepared[] {
    return [...this.#known.filter(({ rollout }) => rollout !== prepared.rollout), prepared].slice(-preparedKept)
  }
}
