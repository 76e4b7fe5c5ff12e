import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeServerSentEvent, serverSentHeartbeat, type ServerSentEvent } from '../../lib/serverSentEvents.ts'

const heartbeatMs = 5_000
/** What a reader may leave unread before it is cut off; it resumes from its last event id. */
const maxUnreadBytes = 32 * 1024 * 1024

/** One response of server-sent events: heartbeats, cut off when its reader falls too far behind. */
export class EventStream {
  readonly signal: AbortSignal
  #reply: FastifyReply
  #heartbeat: NodeJS.Timeout

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#reply = reply
    const gone = new AbortController()
    this.signal = gone.signal
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    reply.raw.flushHeaders()
    request.raw.socket.setNoDelay(true)
    this.#heartbeat = setInterval(() => this.writeText(serverSentHeartbeat), heartbeatMs)
    reply.raw.on('close', () => {
      clearInterval(this.#heartbeat)
      gone.abort()
    })
  }

  writeText(text: string): void {
    if (this.#reply.raw.destroyed) return
    this.#reply.raw.write(text)
    if (this.#reply.raw.writableLength > maxUnreadBytes) this.#reply.raw.destroy()
  }

  write(event: Partial<ServerSentEvent> & { data: string }): void {
    this.writeText(encodeServerSentEvent(event))
  }

  /** Waits until the reader has room again. */
  async room(): Promise<void> {
    if (this.#reply.raw.destroyed || !this.#reply.raw.writableNeedDrain) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#reply.raw.once('drain', resolve)
    this.#reply.raw.once('close', resolve)
    await promise
  }

  end(): void {
    clearInterval(this.#heartbeat)
    this.#reply.raw.end()
  }
}
