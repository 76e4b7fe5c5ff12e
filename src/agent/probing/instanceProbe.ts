import type { Definition } from '../../definitions/definition.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Loopback } from '../loopback.ts'
import type { ProbeResult } from '../probe.ts'
import type { Prober } from './prober.ts'

/** Asks an instance by the command of its definition. */
export type CommandProbe = Pick<Prober, 'ask' | 'close' | 'share'>

interface Asked {
  id: string
  definition: Definition
  port: number | null
}

interface Parts {
  supervisor: Pick<SupervisorDriver, 'ownsSocket' | 'whoOwns'>
  loopback: Pick<Loopback, 'probe'>
  clock: Clock
  /** `null`: a request or a connection asks the instance. */
  command: CommandProbe | null
}

/** Asks one life of an instance whether it is well: by its command, a request, or a connection. */
export class InstanceProbe {
  readonly #asked: Asked
  readonly #parts: Parts

  constructor(asked: Asked, parts: Parts) {
    this.#asked = asked
    this.#parts = parts
  }

  /** Share of one processor that the command uses; `null`: not measured, or there is none. */
  get share(): number | null {
    return this.#parts.command?.share ?? null
  }

  async close(): Promise<void> {
    await this.#parts.command?.close()
  }

  /** `isKnown`: the instance is ready, and so owns its port. */
  async ask(signal: AbortSignal, isKnown: boolean): Promise<ProbeResult> {
    const { command, loopback, clock } = this.#parts
    const { definition } = this.#asked
    const port = definition.listen === 'none' ? null : this.#asked.port
    let result: ProbeResult = { ok: true }
    if (command !== null) result = await command.ask(signal)
    else if (port !== null) result = await loopback.probe(definition, port, signal, clock)
    return !result.ok || isKnown || port === null ? result : this.#whose(port)
  }

  /** Checks that the instance owns the port: an answer of another process there must not count. */
  async #whose(port: number): Promise<ProbeResult> {
    const { supervisor, command } = this.#parts
    try {
      if (await supervisor.ownsSocket(this.#asked.id, port)) return { ok: true }
      const owner = await supervisor.whoOwns(port)
      // A command may succeed before anything listens.
      if (owner === null && command !== null)
        return { ok: false, reason: `nothing listens on its PORT, ${port}`, isClosed: true }
      return { ok: false, reason: `another process answers on port ${port}${owner ? ` (${owner.command})` : ''}` }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { ok: false, reason: `cannot determine which process listens on port ${port}: ${why}`, isUnseen: true }
    }
  }
}
