import type { FastifyReply, FastifyRequest } from 'fastify'
import { every, type Clock } from '../../lib/clock.ts'
import { encodeServerSentEvent, serverSentHeartbeat, type ServerSentEvent } from '../../lib/serverSentEvents.ts'
import { takesEncoding } from './encodings.ts'
import { gzipHeader, Piece } from './piece.ts'

export interface EventStreamLimits {
  heartbeatMs: number
  /** Unread bytes after which a reader is cut off; the reader resumes from its last event id. */
  unreadBytes: number
}

export const eventStreamLimits: EventStreamLimits = { heartbeatMs: 5_000, unreadBytes: 32 * 1024 * 1024 }

interface EventStreamOptions {
  limits?: Partial<EventStreamLimits>
  /** A sign of life, a comment unless the reader must see it. */
  beat?: () => Piece
  /** Compresses the stream for a reader that takes that: for large messages. */
  compressed?: boolean
}

/** One response of server-sent events. It sends heartbeats, and cuts off a reader that falls too far behind. */
export class EventStream {
  readonly signal: AbortSignal
  #reply: FastifyReply
  #stopBeat: () => void
  #limits: EventStreamLimits
  #isCompressed: boolean

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    clock: Clock,
    { limits = {}, beat = () => new Piece(serverSentHeartbeat), compressed = false }: EventStreamOptions = {},
  ) {
    this.#reply = reply
    this.#limits = { ...eventStreamLimits, ...limits }
    const gone = new AbortController()
    this.signal = gone.signal
    reply.hijack()
    this.#isCompressed = compressed && takesEncoding(request.headers['accept-encoding'], 'gzip')
    const encoding = this.#isCompressed ? { 'content-encoding': 'gzip' } : {}
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...encoding })
    if (this.#isCompressed) reply.raw.write(gzipHeader)
    else reply.raw.flushHeaders()
    request.raw.socket.setNoDelay(true)
    this.#stopBeat = every(clock, this.#limits.heartbeatMs, () => this.writePiece(beat()))
    reply.raw.on('close', () => {
      this.#stopBeat()
      gone.abort()
    })
  }

  /** `piece`: whole events. */
  writePiece(piece: Piece, passed = (): void => {}): void {
    if (this.#reply.raw.destroyed || this.#reply.raw.writableEnded) return passed()
    this.#reply.raw.write(this.#isCompressed ? piece.deflated : piece.plain, passed)
    if (this.#reply.raw.writableLength > this.#limits.unreadBytes) this.#reply.raw.destroy()
  }

  write(event: Partial<ServerSentEvent> & { data: string }): void {
    this.writePiece(new Piece(encodeServerSentEvent(event)))
  }

  /** Writes, and resolves when the operating system has taken it, or the reader has disconnected. */
  async pass(event: Partial<ServerSentEvent> & { data: string }): Promise<void> {
    const { raw } = this.#reply
    const { promise, resolve } = Promise.withResolvers<void>()
    raw.once('close', resolve)
    this.writePiece(new Piece(encodeServerSentEvent(event)), resolve)
    await promise
    raw.off('close', resolve)
  }

  /** False: the reader has not taken everything yet. */
  get hasRoom(): boolean {
    return !this.#reply.raw.writableNeedDrain
  }

  /** Waits until the reader has room again or has disconnected. */
  async room(): Promise<void> {
    const { raw } = this.#reply
    if (raw.destroyed || !raw.writableNeedDrain) return
    const { promise, resolve } = Promise.withResolvers<void>()
    raw.once('drain', resolve)
    raw.once('close', resolve)
    await promise
    raw.off('drain', resolve)
    raw.off('close', resolve)
  }

  end(): void {
    this.#stopBeat()
    this.#reply.raw.end()
  }
}
