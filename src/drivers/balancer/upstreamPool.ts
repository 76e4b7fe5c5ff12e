import Client from 'undici/lib/dispatcher/client.js'
import Pool from 'undici/lib/dispatcher/pool.js'
import type { Dispatcher } from 'undici'
import type { BalancerLimits } from './limits.ts'
import { openSocket, type SocketAddress } from './openSocket.ts'
import { UpstreamSocket } from './upstreamSocket.ts'

/** Response headers of a service may be twice as long as request headers. */
const responseHeaderBytes = 64 * 1024

/** The receiver of the answer to one request. */
export interface AnswerHandler extends Dispatcher.DispatchHandler {
  /** The connection that undici has chosen: the one in use when `onRequestStart` is called. */
  connection: UpstreamConnection | null
}

/**
 * The kept-alive connections to one instance or peer. undici pools and parses. No timeout cuts an answer
 * (`headersTimeout` and `bodyTimeout` are off). An unused connection is closed long before common servers would close
 * it (a hint in `Keep-Alive` can only shorten the time), so that a request does not meet a connection that the server
 * is closing.
 */
export class UpstreamPool {
  readonly #address: SocketAddress
  readonly #limits: BalancerLimits
  readonly #sockets = new Set<UpstreamSocket>()
  readonly #retired = new Set<Pool>()
  #pool: Pool | null = null
  #requests = 0
  #waiting: (() => void)[] = []

  constructor(address: SocketAddress, limits: BalancerLimits) {
    this.#address = address
    this.#limits = limits
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: AnswerHandler): void {
    this.#pool ??= this.#open()
    this.#pool.dispatch(options, handler)
  }

  /** A request has taken a connection. */
  started(): void {
    this.#requests += 1
  }

  /** That request has ended, with any result. */
  finished(): void {
    this.#requests -= 1
    this.#settle()
  }

  /**
   * Closes the unused connections, and lets each one in use end with its request. Resolves when no unused connection is
   * left.
   */
  release(): Promise<void> {
    this.#retire()
    if (this.#sockets.size <= this.#requests) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    this.#retire()
    await Promise.all([...this.#retired].map((pool) => pool.destroy()))
  }

  #retire(): void {
    const pool = this.#pool
    if (!pool) return
    this.#pool = null
    this.#retired.add(pool)
    const forget = (): boolean => this.#retired.delete(pool)
    pool.close().then(forget, forget)
  }

  #open(): Pool {
    return new Pool(`http://${this.#address.host}:${this.#address.port}`, {
      connections: null,
      pipelining: 1,
      keepAliveTimeout: this.#limits.upstreamIdleMs,
      keepAliveMaxTimeout: this.#limits.upstreamIdleMs,
      keepAliveTimeoutThreshold: this.#limits.upstreamIdleMs,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: responseHeaderBytes,
      factory: (origin, options) => new UpstreamConnection(origin, options, (done) => this.#connect(done)),
    })
  }

  #connect(done: (error: Error | null, socket: UpstreamSocket) => void): void {
    const socket = new UpstreamSocket()
    const opened = (error: Error | null): void => {
      if (error) return done(error, socket)
      this.#sockets.add(socket)
      socket.once('close', () => {
        this.#sockets.delete(socket)
        this.#settle()
      })
      done(null, socket)
    }
    openSocket(this.#address, this.#limits.connectMs, opened, socket)
  }

  #settle(): void {
    if (this.#waiting.length === 0 || this.#sockets.size > this.#requests) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** One connection of a pool; undici opens it again after it was closed. It carries one request at a time. */
export class UpstreamConnection extends Client {
  readonly #current: { socket: UpstreamSocket | null }

  constructor(
    origin: URL,
    options: object,
    open: (done: (error: Error | null, socket: UpstreamSocket) => void) => void,
  ) {
    const current: { socket: UpstreamSocket | null } = { socket: null }
    super(origin, {
      ...options,
      connect: (_options, done) =>
        open((error, socket) => {
          if (error) return done(error, null)
          current.socket = socket
          done(null, socket)
        }),
    })
    this.#current = current
  }

  get socket(): UpstreamSocket | null {
    return this.#current.socket
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: AnswerHandler): boolean {
    handler.connection = this
    return super.dispatch(options, handler)
  }
}
