import { pipeline, type Duplex } from 'node:stream'
import { encodeFrame } from '../lib/byteChannel.ts'
import type { Clock } from '../lib/clock.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Ask } from '../protocol/ask.ts'

export interface ChannelLimits {
  /** Time an offered channel waits for its caller to connect. */
  claimMs: number
  /** Time an agent may take to connect its end. */
  beginMs: number
}

const channelLimits: ChannelLimits = { claimMs: 30_000, beginMs: 5_000 }

/**
 * TCP keep-alive interval: the loss of a peer's whole computer, not only of its process, is noticed within about a
 * minute.
 */
const keepAliveMs = 10_000

/*
 * A byte channel between a caller and a machine is in one of three states:
 *   offered   until the caller connects its end, or the offer expires.
 *   called    the caller has connected, and the machine was asked to connect its end. The caller gets an error on failure.
 *   joined    both ends form one connection: the controller passes the bytes on without reading or keeping them.
 */
interface Offered {
  machine: string
  via: Via
  stopTimer: () => void
}

/** How a channel's question reaches its machine, if not as every other one. */
export interface Via {
  /** Asks the machine to connect its end; `fail` tells the caller that it cannot. */
  deliver: (fail: (error: OperatorError) => void) => void
  /** No caller connected in time. */
  expired: () => void
  /** Takes the caller's end for the controller itself: no machine is asked. */
  take?: (caller: Duplex) => void
}

interface Called {
  machine: string
  caller: Duplex
  stopTimer: () => void
}

/** The byte channels that are not joined yet, and the sockets of the joined ones, for `closeAll`. */
export class Channels {
  #offered = new Map<string, Offered>()
  #called = new Map<string, Called>()
  #sockets = new Set<Duplex>()
  #send: (machine: string, ask: Ask) => boolean
  #clock: Clock
  #limits: ChannelLimits

  /** `send` returns false when that machine is not connected. */
  constructor(send: (machine: string, ask: Ask) => boolean, clock: Clock, limits: Partial<ChannelLimits> = {}) {
    this.#send = send
    this.#clock = clock
    this.#limits = { ...channelLimits, ...limits }
  }

  /** The id of the question names the channel. */
  offer(machine: string, ask: Exclude<Ask, { kind: 'cancel' }>, via: Via = this.#sending(machine, ask)): void {
    this.#offer(ask.id, machine, via)
  }

  /** Offers a channel that ends in the controller. */
  offerOwn(id: string, take: (caller: Duplex) => void, expired: () => void): void {
    this.#offer(id, '', { deliver: () => {}, expired, take })
  }

  #offer(id: string, machine: string, via: Via): void {
    const stopTimer = this.#clock.after(this.#limits.claimMs, () => {
      this.#offered.delete(id)
      via.expired()
    })
    this.#offered.set(id, { machine, via, stopTimer })
  }

  #sending(machine: string, ask: Ask): Via {
    return {
      deliver: (fail) => {
        if (!this.#send(machine, ask)) fail(unreachable(`machine ${machine} is not connected to the controller`))
      },
      expired: () => {},
    }
  }

  /** Throws when no channel with this id waits for its caller. */
  checkOffered(id: string): void {
    if (!this.#offered.has(id)) throw noSuchChannel(id)
  }

  /** Connects the caller's end; call `checkOffered` first. */
  call(id: string, caller: Duplex): void {
    const offered = this.#offered.get(id)
    if (!offered) throw noSuchChannel(id)
    offered.stopTimer()
    this.#offered.delete(id)
    this.#keep(caller)
    const { machine, via } = offered
    if (via.take) return via.take(caller)
    const late = (): void => this.#fail(id, unreachable(`machine ${machine} did not answer`))
    const stopTimer = this.#clock.after(this.#limits.beginMs, late)
    this.#called.set(id, { machine, caller, stopTimer })
    caller.once('close', () => this.#forget(id))
    via.deliver((error) => this.#fail(id, error))
  }

  /** Throws unless this machine was asked to connect its end and the caller still waits. */
  checkCalled(id: string, machine: string | null): void {
    if (this.#called.get(id)?.machine !== machine || machine === null) throw noSuchChannel(id)
  }

  /** Connects the machine's end and joins both ends; call `checkCalled` first. */
  join(id: string, agent: Duplex): void {
    const called = this.#called.get(id)
    if (!called) throw noSuchChannel(id)
    this.#forget(id)
    this.#keep(agent)
    const { caller } = called
    // Two pipelines listen to the end of each socket, which is more than Node's warning about leaks allows.
    for (const socket of [agent, caller]) socket.setMaxListeners(listenersOfChannel)
    const over = (): void => {} // a broken end destroys the other, whose side notices that the last frame is missing
    pipeline(agent, caller, over)
    pipeline(caller, agent, over)
  }

  /** An agent that answers in lines does not support channels. Returns true when the answer belonged to a channel. */
  refuse(id: string, machine: string | null): boolean {
    if (this.#called.get(id)?.machine !== machine || machine === null) return false
    const message = `the agent of machine ${machine} runs a version of Tandem that cannot run commands over a byte channel`
    this.#fail(id, new OperatorError('E_NO_ABILITY', message))
    return true
  }

  closeAll(): void {
    for (const { stopTimer } of this.#offered.values()) stopTimer()
    for (const { stopTimer } of this.#called.values()) stopTimer()
    this.#offered.clear()
    this.#called.clear()
    for (const socket of this.#sockets) socket.destroy()
  }

  #fail(id: string, { code, message }: OperatorError): void {
    const called = this.#called.get(id)
    this.#forget(id)
    called?.caller.end(encodeFrame({ kind: 'error', code, message }))
  }

  #forget(id: string): void {
    this.#called.get(id)?.stopTimer()
    this.#called.delete(id)
  }

  #keep(socket: Duplex & { setKeepAlive?: (on: boolean, ms: number) => void }): void {
    socket.setKeepAlive?.(true, keepAliveMs)
    socket.on('error', () => {}) // the close event follows
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }
}

/** At most this many listeners wait for one event of a joined socket. */
const listenersOfChannel = 20

const unreachable = (message: string): OperatorError => new OperatorError('E_MACHINE_UNREACHABLE', message)

const noSuchChannel = (id: string): OperatorError =>
  new OperatorError(
    'E_NOT_FOUND',
    `no channel ${id} waits for a connection: it expired, or another caller connected first`,
    {
      subject: id,
      next: 'tandem run SERVICE -- COMMAND   opens a new channel',
    },
  )
