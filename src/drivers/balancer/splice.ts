import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { endSoon } from './endSoon.ts'
import { IdleWatch } from '../../lib/idleWatch.ts'
import { ignoreLateError } from './openSocket.ts'

/** An unmasked close frame, status 1001 "going away" (RFC 6455, 5.5.1 and 7.4.1). */
const goingAwayFrame = Buffer.from([0x88, 0x02, 0x03, 0xe9])

export interface SpliceOptions {
  idleMs: number | null
  /** The client speaks WebSocket: when the connection is cut, it gets a close frame that the server goes away. */
  webSocket: boolean
  clock: Clock
  lingerMs: number
  onEnd: () => void
}

/**
 * Joins two connections byte for byte, each direction at the pace of its reader. The end of one direction is passed on
 * while the other direction continues; a reset of one side resets the other.
 */
export class Splice {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #options: SpliceOptions
  readonly #idle: IdleWatch | null
  #open = 2
  #cutting = false

  constructor(client: Socket, upstream: Socket, options: SpliceOptions) {
    this.#client = client
    this.#upstream = upstream
    this.#options = options
    const { idleMs, clock } = options
    this.#idle = idleMs === null ? null : new IdleWatch(idleMs, clock, () => this.cut())
    this.#watch(client, upstream)
    this.#watch(upstream, client)
    client.pipe(upstream)
    upstream.pipe(client)
  }

  cut(): void {
    if (this.#cutting) return
    this.#cutting = true
    this.#upstream.unpipe(this.#client)
    this.#upstream.destroy()
    if (this.#options.webSocket && this.#client.writable) {
      this.#client.write(goingAwayFrame)
      endSoon(this.#client, this.#options.lingerMs)
    } else {
      this.#client.destroy()
    }
  }

  #watch(side: Socket, other: Socket): void {
    side.on('error', ignoreLateError)
    if (this.#idle) side.on('data', () => this.#idle?.touch())
    const closed = (): void => {
      const whole = side.readableEnded && side.writableFinished
      if (!whole && !this.#cutting && !other.destroyed) other.resetAndDestroy()
      this.#open -= 1
      if (this.#open > 0) return
      this.#idle?.stop()
      this.#options.onEnd()
    }
    if (side.closed) process.nextTick(closed)
    else side.once('close', closed)
  }
}
