import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import type { AnswerStartEvents, InterimHead } from './answerStart.ts'
import { acceptedStatus } from './forwarding.ts'
import { IdleWatch } from '../../lib/idleWatch.ts'
import { headText, pairs, readResponseHead, writeAnswerHead } from './responseHead.ts'
import type { Upstream, Work } from './upstream.ts'
import type { AnswerHandler, UpstreamConnection } from './upstreamPool.ts'

/** Events of one attempt, for the request. Exactly one of `finished`, `failed` and `unprocessed` ends the attempt. */
export interface ExchangeEvents {
  /** A connection exists; the request is being written. */
  sending(): void
  /** A peer has begun to process the request. */
  accepted(): void
  /** The upstream sent an interim answer, which is not the end of the attempt. */
  interim(status: number): void
  answered(status: number): void
  finished(): void
  failed(error: Error): void
  /**
   * A peer has no instance for the request, and has read no relevant part of the body. `sent`: an instance there gave
   * no answer.
   */
  unprocessed(sent: boolean): void
}

export interface ExchangeParts {
  upstream: Upstream
  response: ServerResponse
  hasBody: boolean
  events: ExchangeEvents
  clock: Clock
  idleMs: number | null
}

/**
 * One attempt to get an answer from one upstream: undici's handler, streaming directly to the response of the client.
 */
export class Exchange implements AnswerHandler, AnswerStartEvents, Work {
  connection: UpstreamConnection | null = null
  long = false
  /** The attempt had a connection. */
  connected = false
  /**
   * Part of the request may have reached the upstream. undici writes the head together with the first part of the body.
   */
  sent = false
  /** Part of an answer has arrived. */
  answering = false
  /** The head of the answer has been sent to the client. */
  answered = false
  wasCut = false
  readonly upstream: Upstream
  readonly #parts: ExchangeParts
  #controller: Dispatcher.DispatchController | null = null
  #abortReason: Error | null = null
  #wroteBody = false
  #unprocessed: 'no' | 'untouched' | 'sent' = 'no'
  #accepted = false
  #over = false
  #idle: IdleWatch | null = null

  constructor(parts: ExchangeParts) {
    this.#parts = parts
    this.upstream = parts.upstream
  }

  start(options: Dispatcher.DispatchOptions): void {
    this.upstream.began(this)
    try {
      this.upstream.pool.dispatch(options, this)
    } catch (error) {
      this.onResponseError(null, error instanceof Error ? error : new Error(String(error)))
    }
  }

  cut(): void {
    this.wasCut = true
    this.abort(new Error('the instance was stopped because its drain time has ended'))
  }

  /** If there is no connection yet, the attempt ends as soon as there is one, and nothing is sent. */
  abort(reason: Error): void {
    if (this.#over) return
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.upstream.pool.started()
    this.#controller = controller
    if (this.#abortReason) return controller.abort(this.#abortReason)
    this.connected = true
    this.sent = !this.#parts.hasBody
    this.connection?.socket?.expectAnswer(this, this.#parts.hasBody)
    this.#parts.events.sending()
  }

  onBodySent(): void {
    this.sent = true
  }

  onRequestSent(): void {
    this.sent = true
  }

  answerBegan(): void {
    this.answering = true
  }

  interim(head: InterimHead): void {
    const { response, events, hasBody } = this.#parts
    // RFC 9110, 7.8: only a client that requested another protocol gets a 101.
    if (head.status === 101) return this.abort(new Error('the instance switched to another protocol without a request'))
    this.answering = false
    events.interim(head.status)
    if (head.status === 100) return // RFC 9110, 15.2.1: the balancer itself decides whether to wait with a body
    if (head.status === acceptedStatus && this.upstream.kind === 'peer' && hasBody && !this.#accepted) {
      this.#accepted = true
      return events.accepted()
    }
    // Behind another answer on its connection, or behind an answer that the client reads slowly, the interim response
    // would wait in memory.
    const { socket, req } = response
    if (!socket || socket.writableNeedDrain || req.httpVersion === '1.0') return
    socket.write(headText(head.status, head.reason, head.fields), 'latin1')
  }

  endless(): void {
    this.abort(new Error('the head of the answer is longer than the limit'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (status < 200) return controller.abort(new Error(`the instance answered with the status ${status}`))
    const head = readResponseHead(rawList(controller.rawHeaders), this.upstream.kind === 'peer')
    if (head.coding !== null)
      return controller.abort(new Error(`the answer has an unsupported coding: Transfer-Encoding: ${head.coding}`))
    this.#unprocessed = head.unprocessed
    if (head.unprocessed !== 'no') return
    const { response, events, idleMs, clock } = this.#parts
    this.long = head.eventStream
    writeAnswerHead(response, status, this.connection?.socket?.reason ?? statusText ?? '', head)
    this.answered = true
    events.answered(status)
    if (idleMs !== null) this.#idle = new IdleWatch(idleMs, clock, () => this.abort(new Error('idle')))
    // A head and first bytes that arrived together are sent together; a head alone is sent at once.
    process.nextTick(() => {
      if (!this.#wroteBody && !this.#over) response.flushHeaders()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#parts
    if (this.#unprocessed !== 'no' || response.destroyed) return
    this.#wroteBody = true
    this.#idle?.touch()
    if (response.write(chunk)) return
    controller.pause()
    response.once('drain', () => {
      this.#idle?.touch()
      controller.resume()
    })
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#end()
    const { response, events } = this.#parts
    if (this.#unprocessed !== 'no') return events.unprocessed(this.#unprocessed === 'sent')
    const trailers = rawList(controller.rawTrailers)
    if (trailers.length > 0) response.addTrailers(pairs(trailers))
    response.end()
    events.finished()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return
    this.#end()
    if (this.#unprocessed === 'no') this.#parts.events.failed(error)
    else this.#parts.events.unprocessed(this.#unprocessed === 'sent')
  }

  #end(): void {
    this.#over = true
    this.#idle?.stop()
    if (this.#controller) this.upstream.pool.finished()
    this.upstream.ended(this)
  }
}

/** undici passes on the result of its parser: a flat list of buffers. */
function rawList(raw: unknown): (Buffer | string)[] {
  return Array.isArray(raw) ? (raw as (Buffer | string)[]) : [] // `rawHeaders` of HTTP/1.1 is such a list
}
