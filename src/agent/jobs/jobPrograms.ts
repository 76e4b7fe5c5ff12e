import type { Definition } from '../../definitions/definition.ts'
import type { ExitStatus, InstanceSpec, Started, SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SignedContent } from '../../protocol/serviceOrders.ts'
import type { InstancePorts } from '../ports.ts'
import type { ReleaseLauncher } from '../releaseLauncher.ts'
import type { Execution, JobOutput, JobSignals, ProcessEnd, ReadyJob } from './job.ts'
import { OutputTail } from './outputTail.ts'
import { readOutput } from './programOutput.ts'

interface Parts {
  launcher: ReleaseLauncher
  supervisor: SupervisorDriver
  ports: InstancePorts
  clock: Clock
}

/** A command of a release, run as its service: same user, limits, environment and jail. */
export interface JobProgram {
  /** The lines about its start and its end are in the logs under this id. */
  instance: string
  release: string
  definition: Definition
  generation?: string | undefined
  /** `prepare`: the command in the definition. */
  command: 'prepare' | string[]
  /** Signed for this one command. */
  order?: SignedContent | undefined
  output: JobOutput
}

/** A program that a person runs beside an instance, in a copy of its jail. */
export interface BesideProgram {
  access: string
  of: { id: string; release: string; definition: Definition; port: number | null }
  argv: string[]
  order?: SignedContent | undefined
}

/** Runs the programs of jobs through the supervisor. They end with the agent, whichever supervisor it has. */
export class JobPrograms {
  #parts: Parts
  #waiting = new Map<string, (exit: ExitStatus) => void>()
  /** Releases of programs that run or are about to, by the id of the program. */
  #releases = new Map<string, string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Fetches and verifies the release, takes a port, expands arguments and environment. */
  async ready(
    { instance: id, release, definition, generation, command, order, output }: JobProgram,
    stop: AbortSignal,
  ): Promise<ReadyJob> {
    this.#releases.set(id, release)
    try {
      const { spec } = await this.#parts.launcher.oneOff({ id, release, definition, generation, order }, command, stop)
      return { start: (signals) => this.#start(spec, output, signals), release: () => this.#release(id) }
    } catch (error) {
      this.#releases.delete(id)
      throw error
    }
  }

  /** Gathers everything for a program beside a running instance. */
  async beside({ access, of, argv, order }: BesideProgram, stop: AbortSignal): Promise<ReadyJob> {
    this.#releases.set(access, of.release)
    try {
      const spec = await this.#parts.launcher.beside(access, { ...of, order }, argv, stop)
      return { start: (signals) => this.#start(spec, 'attached', signals), release: () => this.#release(access) }
    } catch (error) {
      this.#releases.delete(access)
      throw error
    }
  }

  exited(exit: ExitStatus): void {
    this.#waiting.get(exit.id)?.(exit)
  }

  /** Releases that these programs need: they must not be collected, even if other releases are deployed meanwhile. */
  releasesInUse(): Iterable<string> {
    return this.#releases.values()
  }

  #release(id: string): void {
    this.#waiting.delete(id)
    this.#releases.delete(id)
    this.#parts.ports.release(id)
  }

  async #start(spec: InstanceSpec, output: JobOutput, { stop }: JobSignals): Promise<Execution> {
    const { supervisor } = this.#parts
    const { promise, resolve, reject } = Promise.withResolvers<ExitStatus>()
    const end = (): void => void supervisor.stop(spec.id).catch(reject)
    const over = (): void => {
      stop.removeEventListener('abort', end)
      this.#release(spec.id)
    }
    this.#waiting.set(spec.id, resolve)
    let started: Started
    try {
      started = await supervisor.start(output === 'logs' ? spec : { ...spec, attached: true })
    } catch (error) {
      over()
      throw error
    }
    stop.addEventListener('abort', end)
    if (stop.aborted) end()
    const ended = promise.finally(over).then(processEnd)
    ended.catch(() => {}) // whoever awaits it gets the error
    if (output === 'logs') return { ended }
    if (!started.streams) throw new Error('the supervisor gave an attached program no streams')
    return output === 'attached'
      ? { ended, streams: started.streams }
      : { ended: withTail(ended, started.streams, output.tailBytes, this.#parts.clock) }
  }
}

async function withTail(
  ended: Promise<ProcessEnd>,
  streams: NonNullable<Execution['streams']>,
  tailBytes: number,
  clock: Clock,
): Promise<ProcessEnd> {
  const tail = new OutputTail(tailBytes)
  streams.stdin.end()
  await readOutput(streams, ended, (_, bytes) => tail.add(bytes), clock)
  return { ...(await ended), tail: tail.text() }
}

function processEnd({ code, signal, reason }: ExitStatus): ProcessEnd {
  const isOk = code === 0 && reason === 'exit'
  const why = code === null ? `killed by ${signal}` : `exited with status ${code}`
  return { how: isOk ? 'succeeded' : reason === 'stopped' ? 'stopped' : 'failed', code, signal, why: isOk ? '' : why }
}
