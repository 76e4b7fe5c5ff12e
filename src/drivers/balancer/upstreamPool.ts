import type { Socket } from 'node:net'
import Pool from 'undici/lib/dispatcher/pool.js'
import type { Dispatcher } from 'undici'
import type { BalancerLimits } from './limits.ts'
import { openSocket, type SocketAddress } from './openSocket.ts'

/** Response headers of a service may be twice as long as any request's. */
const responseHeaderBytes = 64 * 1024

/**
 * The kept-alive connections to one instance or peer. undici pools and parses; no clock of its own cuts an answer
 * (`headersTimeout` and `bodyTimeout` are off), and an unused connection is closed long before the usual servers would
 * (a hint in `Keep-Alive` may only shorten it), so that a request does not meet a connection that is just going away.
 */
export class UpstreamPool {
  readonly #address: SocketAddress
  readonly #limits: BalancerLimits
  readonly #sockets = new Set<Socket>()
  readonly #retired = new Set<Pool>()
  #pool: Pool | null = null
  #requests = 0
  #waiting: (() => void)[] = []

  constructor(address: SocketAddress, limits: BalancerLimits) {
    this.#address = address
    this.#limits = limits
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#pool ??= this.#open()
    this.#pool.dispatch(options, handler)
  }

  /** A request has taken a connection. */
  started(): void {
    this.#requests += 1
  }

  /** That request is over, whatever its end. */
  finished(): void {
    this.#requests -= 1
    this.#settle()
  }

  /** Closes the unused connections and lets those in use end with their request; resolves when none unused is left. */
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
      connect: (_options, callback) => {
        openSocket(this.#address, this.#limits.connectMs, (error, socket) => {
          if (error) return callback(error, null)
          this.#sockets.add(socket)
          socket.once('close', () => {
            this.#sockets.delete(socket)
            this.#settle()
          })
          callback(null, socket)
        })
      },
    })
  }

  #settle(): void {
    if (this.#waiting.length === 0 || this.#sockets.size > this.#requests) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
