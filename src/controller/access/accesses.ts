import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { placeOf, targetPort } from '../../access/openAccess.ts'
import type { AccessEvents } from '../../events/accessEvents.ts'
import { ByteChannel } from '../../lib/byteChannel.ts'
import { oneOf } from '../../lib/oneOf.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { accessInstance, type AccessEnd, type Ask } from '../../protocol/ask.ts'
import type { Terminal } from '../../protocol/terminal.ts'
import type { Asks } from '../asks.ts'
import type { Channels } from '../channels.ts'
import type { Controller } from '../controller.ts'
import { unlessRefused } from '../refusalError.ts'
import { commandOrder } from '../services/commandOrder.ts'
import { commandWords } from './commandWords.ts'

type Opened = AccessEvents['AccessStarted'] & { instance: string; machine: string }
type End = Pick<AccessEvents['AccessEnded'], 'how' | 'code' | 'signal' | 'reason'>

interface Ends {
  asks: Asks
  channels: Channels
}

export interface AskedProgram {
  service: string | null
  /** An instance id, or a prefix of one. */
  instance: string | null
  argv: string[] | null
  terminal: Terminal | null
}

/**
 * Shells and commands that people have open. Bytes go over a byte channel; how a program ended comes as the machine's
 * answer to the same question, and goes into the log.
 */
export class Accesses {
  readonly #controller: Controller
  readonly #logger: Logger
  /** Open when an earlier controller ended, and with it every channel. */
  readonly #left: string[]
  #ends: Ends | null = null

  constructor({ controller, logger }: { controller: Controller; logger: Logger }) {
    this.#controller = controller
    this.#logger = logger
    this.#left = Object.keys(controller.state.accesses)
  }

  start(ends: Ends): void {
    this.#ends = ends
    for (const access of this.#left) void this.#close(access, leftByController)
  }

  /** Offers the byte channel of a program beside an instance. Its id is that of the access. */
  async open(asked: AskedProgram, by: string): Promise<Opened> {
    if (asked.argv === null && asked.terminal === null)
      throw new OperatorError('E_USAGE', 'a shell needs a terminal', { subject: 'terminal', next: 'name a command' })
    const access = this.#newId()
    const events = await this.#controller.execute(() => {
      const { argv } = asked
      const kind = asked.terminal === null ? 'exec' : 'shell'
      const command = argv === null ? null : commandWords(argv)
      return { type: 'OpenAccess', access, kind, ...this.meant(asked), command, port: null }
    }, by)
    const opened = startedBy(events)
    const { service, instance, machine } = opened
    const { argv, terminal } = asked
    const order = this.#order({ id: accessInstance(service, access), service, instance, machine, argv, terminal })
    this.#offer(machine, { kind: 'access', id: access, service, instance, argv, terminal, ...order })
    return opened
  }

  /** Opens a forward: its channel carries nothing, and the forward ends with it. */
  async openForward(asked: Pick<AskedProgram, 'service' | 'instance'> & { port: number }, by: string) {
    const access = this.#newId()
    const events = await this.#controller.execute(() => {
      return { type: 'OpenAccess', access, kind: 'forward', ...this.meant(asked), command: null, port: asked.port }
    }, by)
    const { service, instance } = startedBy(events)
    this.#started().channels.offerOwn(
      access,
      (socket) => void this.#hold(access, socket),
      () => void this.#close(access, neverConnected),
    )
    return { access, service, instance }
  }

  /** Offers the byte channel of one connection of a forward, to the instance that is the best now. */
  connect(access: string): { channel: string; machine: string; instance: string } {
    const { state } = this.#controller
    const open = state.accesses[access]
    if (!open || open.port === null)
      throw new OperatorError('E_NOT_FOUND', `there is no forward ${access}, or it has ended`, { subject: access })
    const { instance } = unlessRefused(placeOf(state, open))
    const port = targetPort(state, instance, open.port)
    if (port === null)
      throw new OperatorError('E_INSTANCE_STOPPED', `instance ${instance.id} has no port yet`, { subject: instance.id })
    const { id, machine, service } = instance
    const channel = this.#controller.newId()
    this.#started().channels.offer(machine, { kind: 'connect', id: channel, service, instance: id, port })
    return { channel, machine, instance: id }
  }

  /** Until the person at the other end is gone. Never rejects. */
  async #hold(access: string, socket: Duplex): Promise<void> {
    const channel = new ByteChannel(socket, Buffer.alloc(0))
    try {
      await channel.send({ kind: 'started' })
      for await (const _ of channel.frames()) continue
    } catch {
      // The other end broke, or fell silent.
    }
    channel.destroy()
    await this.#close(access, { ...unknown, how: 'left' })
  }

  /** The service and the whole id of the instance that a caller means. */
  meant({ service, instance }: Pick<AskedProgram, 'service' | 'instance'>): {
    service: string
    instance: string | null
  } {
    const all = Object.values(this.#controller.state.instances)
    const among = service === null ? all : all.filter((one) => one.service === service)
    if (instance !== null) {
      const ids = among.map(({ id }) => id)
      const found = among.find(({ id }) => id === oneOf(instance, ids, 'instances'))
      if (!found) throw noSuchInstance(instance, ids)
      return { service: found.service, instance: found.id }
    }
    if (service !== null) return { service, instance: null }
    throw new OperatorError('E_USAGE', 'name a service or an instance', { subject: 'instance' })
  }

  #order(asked: Omit<Parameters<typeof commandOrder>[1], 'release' | 'generation'> & { instance: string }) {
    const of = this.#controller.state.instances[asked.instance]
    return of ? commandOrder(this.#controller, { ...asked, release: of.release, generation: of.generation }) : {}
  }

  #newId(): string {
    return this.#controller.newId().slice(0, 12)
  }

  #offer(machine: string, ask: Extract<Ask, { kind: 'access' }>): void {
    const { channels } = this.#started()
    let isCalled = false
    channels.offer(machine, ask, {
      deliver: (fail) => {
        isCalled = true
        void this.#follow(machine, ask, fail)
      },
      expired: () => {
        if (!isCalled) void this.#close(ask.id, neverConnected)
      },
    })
  }

  /** Asks the machine, and records how it ended. Never rejects. */
  async #follow(
    machine: string,
    ask: Extract<Ask, { kind: 'access' }>,
    fail: (error: OperatorError) => void,
  ): Promise<void> {
    let end: End = { ...unknown, reason: `machine ${machine} did not report how it ended` }
    try {
      for await (const answer of this.#started().asks.ask(machine, ask, new AbortController().signal)) {
        if (answer.kind === 'over') end = answer.end satisfies AccessEnd
        else if (answer.kind === 'error') end = { ...unknown, reason: answer.message }
      }
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      fail(error)
      end = { ...unknown, reason: error.message }
    }
    await this.#close(ask.id, end)
  }

  /** Never rejects. The log may be unwritable for a while: then the next controller closes it. */
  async #close(access: string, end: End): Promise<void> {
    try {
      await this.#controller.execute({ type: 'CloseAccess', access, end })
    } catch (err) {
      this.#logger.warn({ err, access }, 'could not record the end of an access')
    }
  }

  #started(): Ends {
    if (this.#ends) return this.#ends
    throw new OperatorError('E_MACHINE_UNREACHABLE', 'the controller has just started; try again')
  }
}

function startedBy(events: readonly { type: string; data: object }[]): Opened {
  const started = events.find(({ type }) => type === 'AccessStarted')
  if (!started) throw new Error('an access was opened without an event: a bug')
  return started.data as Opened // of that type, for an access that is bound to an instance
}

const unknown: End = { how: 'failed', code: null, signal: null, reason: '' }
const neverConnected: End = { ...unknown, how: 'left', reason: 'nobody connected' }
const leftByController: End = { ...unknown, how: 'lost', reason: 'the controller ended, and with it the connection' }

const noSuchInstance = (instance: string, ids: readonly string[]): OperatorError =>
  new OperatorError('E_NO_SUCH_INSTANCE', `no instance has the id ${instance}`, {
    subject: instance,
    next: ids.length > 0 ? `instances: ${ids.toSorted().join(', ')}` : 'tandem status',
  })
