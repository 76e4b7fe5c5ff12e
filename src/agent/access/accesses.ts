import { inTerminal } from '../../drivers/supervisor/shellArgv.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { ByteChannel } from '../../lib/byteChannel.ts'
import type { Clock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { accessInstance, type AccessEnd, type Ask } from '../../protocol/ask.ts'
import { attach } from '../attach.ts'
import type { BesideProgram } from '../jobs/jobPrograms.ts'
import type { JobRunner } from '../jobs/jobRunner.ts'
import type { LocalInstance } from '../localInstance.ts'
import type { Services } from '../services/services.ts'
import { carryConnection } from './carryConnection.ts'

type AccessAsk = Extract<Ask, { kind: 'access' }>

interface Parts {
  services: Pick<Services, 'all'>
  programs: JobRunner<BesideProgram>
  supervisor: Pick<SupervisorDriver, 'resize' | 'ownsSocket'>
  clock: Clock
}

/** Shells and commands that people have open on the instances of this machine. */
export class Accesses {
  readonly #parts: Parts
  readonly #open = new Map<AbortController, string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Runs the program over the channel. Never rejects. */
  async run(channel: ByteChannel, ask: AccessAsk, signal: AbortSignal): Promise<AccessEnd> {
    const { programs, supervisor, clock } = this.#parts
    const { service, instance, argv, terminal, order } = ask
    const id = accessInstance(service, ask.id)
    const stopped = new AbortController()
    this.#open.set(stopped, instance)
    try {
      const start = (left: AbortSignal) => {
        const program = terminal === null ? argv : inTerminal(argv, terminal)
        if (program === null) throw new OperatorError('E_USAGE', 'a shell needs a terminal')
        return programs.run({ id, work: { access: id, of: this.#running(ask), argv: program, order }, signal: left })
      }
      // The next change of the size tries again.
      const resized = (size: Parameters<SupervisorDriver['resize']>[1]): void =>
        void supervisor.resize(id, size).catch(() => {})
      return await attach(channel, { start, resized, clock }, AbortSignal.any([signal, stopped.signal]))
    } finally {
      this.#open.delete(stopped)
    }
  }

  /** Carries a connection to a port of an instance. Never rejects. */
  async connect(channel: ByteChannel, ask: Extract<Ask, { kind: 'connect' }>): Promise<void> {
    await carryConnection(channel, async () => {
      const { port } = this.#running(ask)
      if (ask.port === port || (await this.#parts.supervisor.ownsSocket(ask.instance, ask.port))) return ask.port
      const message = `instance ${ask.instance} does not listen on port ${ask.port}`
      throw new OperatorError('E_NOT_LISTENING', message)
    })
  }

  /** Called when the stop signal of an instance is about to be sent. */
  instanceStops(id: string): void {
    for (const [stopped, instance] of this.#open) if (instance === id) stopped.abort(stoppedError(id))
  }

  close(): Promise<void> {
    return this.#parts.programs.close()
  }

  #running({ service, instance }: Pick<AccessAsk, 'service' | 'instance'>): BesideProgram['of'] {
    const found: LocalInstance | undefined = this.#parts.services.all.get(instance)
    if (!found || found.definition.service !== service || found.state === 'draining' || found.state === 'stopped')
      throw new OperatorError('E_INSTANCE_STOPPED', `instance ${instance} of ${service} does not run on this machine`)
    const { id, release, definition, port } = found
    return { id, release, definition, port }
  }
}

const stoppedError = (instance: string): OperatorError =>
  new OperatorError(
    'E_INSTANCE_STOPPED',
    `instance ${instance} is being stopped, which ends everything that runs beside it`,
  )
