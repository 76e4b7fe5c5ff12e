import type { LogQuery, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Checkup } from '../protocol/checkup.ts'
import { commandInstance, type AccessEnd, type Answer, type Ask, type UnknownAsk } from '../protocol/ask.ts'
import type { RequirementFacts } from '../protocol/requirements.ts'
import type { ControllerConnection } from './controllerConnection.ts'
import { exitOf, type CommandWork } from './commandJobs.ts'
import type { JobRunner } from './jobs/jobRunner.ts'
import type { Accesses } from './access/accesses.ts'
import { runAttached } from './runAttached.ts'
import { withSigns } from './signsOfLife.ts'

interface Parts {
  connection: Pick<ControllerConnection, 'answer' | 'channel'>
  supervisor: SupervisorDriver
  commands: JobRunner<CommandWork>
  accesses: Accesses
  clock: Clock
  examine: () => Promise<Checkup>
  numbers: () => Promise<Extract<Answer, { kind: 'numbers' }>['numbers']>
  requirements: (asked: Extract<Ask, { kind: 'requirements' }>) => Promise<RequirementFacts>
  /** The answer of a feature; `null`: no feature knows the question. */
  byFeature: (ask: Ask | UnknownAsk, signal: AbortSignal) => Promise<Answer | null>
  failed: (error: unknown) => void
}

/** Number of logs that are sent at once: four browsers with all their tabs. */
const mostLogs = 64

/** Interval of the empty lines that show that an answer without output is still in progress. */
const signOfLifeMs = 5_000

/**
 * Answers requests of the controller: output of instances, one-off commands, checkups, numbers, requirements. Each answer is one stream.
 */
export class Answers {
  #parts: Parts
  #open = new Map<string, AbortController>()
  #logs = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  take(ask: Ask | UnknownAsk): void {
    if (ask.kind === 'cancel') {
      this.#open.get(ask.id)?.abort()
      return
    }
    if (ask.kind === 'command') return void this.#command(ask)
    if (ask.kind === 'access') return void this.#access(ask)
    if (ask.kind === 'connect') return void this.#connect(ask)
    const stop = new AbortController()
    this.#open.set(ask.id, stop)
    void this.#post(ask.id, this.#answer(ask, stop.signal), stop).finally(() => this.#open.delete(ask.id))
  }

  close(): void {
    for (const stop of this.#open.values()) stop.abort()
  }

  /** Never rejects: a failure is reported over the channel, or passed to `failed` if there is no channel. */
  async #command(ask: Extract<Ask, { kind: 'command' }>): Promise<void> {
    const { connection, commands, clock, failed } = this.#parts
    const stop = new AbortController()
    this.#open.set(ask.id, stop)
    try {
      const channel = await connection.channel(ask.id)
      await runAttached(channel, { commands, clock }, ask, stop.signal)
    } catch (error) {
      failed(error)
    } finally {
      this.#open.delete(ask.id)
    }
  }

  /** Never rejects. */
  async #connect(ask: Extract<Ask, { kind: 'connect' }>): Promise<void> {
    const { connection, accesses, failed } = this.#parts
    try {
      await accesses.connect(await connection.channel(ask.id), ask)
    } catch (error) {
      failed(error)
    }
  }

  /** The channel carries the bytes, and the answer how it ended. The controller expects the channel first. Never rejects. */
  async #access(ask: Extract<Ask, { kind: 'access' }>): Promise<void> {
    const { connection, accesses, failed } = this.#parts
    const stop = new AbortController()
    this.#open.set(ask.id, stop)
    try {
      const channel = await connection.channel(ask.id)
      const ended = accesses.run(channel, ask, stop.signal)
      await this.#post(ask.id, endOf(ended), stop)
      await ended
    } catch (error) {
      failed(error)
    } finally {
      this.#open.delete(ask.id)
    }
  }

  /** Never rejects: an answer that cannot be delivered is passed to `failed`. */
  async #post(id: string, answers: AsyncIterable<Answer>, stop: AbortController): Promise<void> {
    const { connection, clock } = this.#parts
    try {
      await connection.answer(id, withSigns(answers, signOfLifeMs, clock))
    } catch (error) {
      if (!stop.signal.aborted) this.#parts.failed(error)
    } finally {
      stop.abort()
    }
  }

  async *#answer(
    ask: Exclude<Ask | UnknownAsk, { kind: 'cancel' | 'command' | 'access' | 'connect' }>,
    signal: AbortSignal,
  ): AsyncIterable<Answer> {
    try {
      if (ask.kind === 'logs') {
        yield* this.#sendLogs(ask, signal)
      } else if (ask.kind === 'run') {
        yield* this.#run(ask, signal)
      } else if (ask.kind === 'checkup') {
        // Sent at once: the delay of this line limits how exactly the controller knows this machine's clock.
        yield { kind: 'clock', at: this.#parts.clock.now() }
        yield { kind: 'checkup', checkup: await this.#parts.examine() }
      } else if (ask.kind === 'numbers') {
        yield { kind: 'numbers', numbers: await this.#parts.numbers() }
      } else if (ask.kind === 'requirements') {
        yield { kind: 'requirements', facts: await this.#parts.requirements(ask) }
      } else {
        const answer = await this.#parts.byFeature(ask, signal)
        if (answer === null) throw tooOld()
        yield answer
      }
    } catch (error) {
      const code = error instanceof OperatorError ? error.code : 'E_ENVIRONMENT'
      yield { kind: 'error', code, message: error instanceof Error ? error.message : String(error) }
    }
    yield { kind: 'end' }
  }

  async *#sendLogs(ask: Extract<Ask, { kind: 'logs' }>, signal: AbortSignal): AsyncIterable<Answer> {
    if (this.#logs >= mostLogs) {
      throw new OperatorError('E_TOO_MANY_TAILS', `this machine sends ${mostLogs} logs already, and no more at once`)
    }
    const { service, instance, since, last, follow } = ask
    this.#logs += 1
    try {
      yield* this.#lines({
        ...{ service, follow, signal },
        ...(instance === null ? {} : { instance }),
        ...(since === null ? {} : { since }),
        ...(last === null ? {} : { last }),
      })
    } finally {
      this.#logs -= 1
    }
  }

  async *#run(ask: Extract<Ask, { kind: 'run' }>, signal: AbortSignal): AsyncIterable<Answer> {
    const { service, release, definition, argv, id, order } = ask
    const command = this.#parts.commands.run({
      id,
      work: { service, release, definition, argv, order, output: 'logs' },
      signal,
    })
    await command.started
    yield* this.#lines({ service, instance: commandInstance(service, id), follow: true, signal })
    const { code, signal: by } = exitOf(await command.ended)
    yield { kind: 'exit', code, signal: by }
  }

  async *#lines(query: LogQuery): AsyncIterable<Answer> {
    for await (const { at, service, instance, stream, text } of this.#parts.supervisor.logs(query)) {
      yield { kind: 'line', at, service, instance, stream, text }
    }
  }
}

const tooOld = (): OperatorError =>
  new OperatorError('E_NOT_FOUND', 'the agent of this machine does not know this request: its version is too old')

async function* endOf(ended: Promise<AccessEnd>): AsyncIterable<Answer> {
  yield { kind: 'over', end: await ended }
  yield { kind: 'end' }
}
