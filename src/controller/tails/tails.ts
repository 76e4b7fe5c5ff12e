import type { Live } from '../../api/overview.ts'
import { mostTails, type TailItem } from '../../api/tails.ts'
import { refuseUnknownMachine } from '../../fleet/decideMachine.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'
import { meantInstance } from '../http/meantInstance.ts'
import { unlessRefused } from '../refusalError.ts'
import { Tail, type Wanted } from './tail.ts'

/** A stream that can carry tails. */
export interface Carrier {
  /** Aborts when the stream has ended. */
  signal: AbortSignal
  /** Resolves when the reader has taken the message, or is gone. */
  pass: (message: string) => Promise<void>
}

interface Stream extends Carrier {
  reader: string
  tails: Map<string, AbortController>
  /** Ends when the message before was taken: the tails of a stream send one after the other. */
  turn: Promise<void>
}

/** Tails of output in the live streams of browsers. */
export class Tails {
  readonly #controller: Controller
  readonly #streams = new Map<string, Stream>()
  #asks: Asks | null = null

  constructor({ controller }: { controller: Controller }) {
    this.#controller = controller
  }

  start(asks: Asks): void {
    this.#asks = asks
  }

  /** A stream has begun; returns its id, by which `reader` alone may add tails to it. */
  carry(carrier: Carrier, reader: string): string {
    const id = this.#controller.newId()
    this.#streams.set(id, { ...carrier, reader, tails: new Map(), turn: Promise.resolve() })
    carrier.signal.addEventListener('abort', () => this.#streams.delete(id))
    return id
  }

  /** Number of tails, for tests. */
  get size(): number {
    return [...this.#streams.values()].reduce((sum, { tails }) => sum + tails.size, 0)
  }

  /** Adds a tail to a stream; returns the whole id of the instance. Throws as the stream of logs does. */
  async openTail(
    id: string,
    reader: string,
    tail: string,
    { machine, instance, ...wanted }: Omit<Wanted, 'machines'> & { machine: string | null },
  ): Promise<string | null> {
    const stream = this.#streamOf(id, reader)
    if (stream.tails.has(tail)) throw new OperatorError('E_USAGE', `the stream has a tail ${tail} already`)
    if (stream.tails.size >= mostTails) {
      throw new OperatorError('E_TOO_MANY_TAILS', `this browser follows ${mostTails} logs already`, {
        ...{ subject: id, next: 'close a tab that follows a log' },
      })
    }
    const machines = machine === null ? Object.keys(this.#controller.state.machines) : [machine]
    unlessRefused(refuseUnknownMachine(this.#controller.state, machines))
    const ended = new AbortController()
    stream.tails.set(tail, ended)
    const signal = AbortSignal.any([stream.signal, ended.signal])
    try {
      const meant = instance === null ? null : await this.#meant({ ...wanted, instance, machines, signal })
      void this.#run(stream, { tail, signal }, { ...wanted, instance: meant, machines })
      return meant
    } catch (error) {
      stream.tails.delete(tail)
      throw error
    }
  }

  /** Returns false if there is no such tail. */
  endTail(id: string, reader: string, tail: string): boolean {
    const { tails } = this.#streamOf(id, reader)
    tails.get(tail)?.abort()
    return tails.delete(tail)
  }

  get #ask(): Asks {
    if (this.#asks === null) throw new OperatorError('E_CONTROLLER_UNREACHABLE', 'the controller is still starting')
    return this.#asks
  }

  #meant(asked: { service: string; instance: string; machines: string[]; signal: AbortSignal }): Promise<string> {
    return meantInstance(this.#controller, this.#ask, asked)
  }

  /** The streams of others are not told apart from those that have ended. */
  #streamOf(id: string, reader: string): Stream {
    const stream = this.#streams.get(id)
    if (stream?.reader === reader) return stream
    throw new OperatorError('E_NO_SUCH_STREAM', 'the stream has ended, or belongs to another session', {
      ...{ subject: id, next: 'read /api/v1/live, whose first message names its stream' },
    })
  }

  async #run(stream: Stream, { tail, signal }: { tail: string; signal: AbortSignal }, wanted: Wanted): Promise<void> {
    const { clock } = this.#controller
    const asks = this.#ask
    const send = (items: TailItem[]): Promise<void> => {
      const at = new Date(clock.now()).toISOString()
      const message = JSON.stringify({ kind: 'tail', at, tail, items } satisfies Live)
      return (stream.turn = stream.turn.then(() => (signal.aborted ? undefined : stream.pass(message))))
    }
    const ask: ConstructorParameters<typeof Tail>[0]['ask'] = (machine, query, until, begun) =>
      asks.ask(machine, { ...query, id: this.#controller.newId() }, until, begun)
    await new Tail({ ask, clock, send }, signal).run(wanted)
  }
}
