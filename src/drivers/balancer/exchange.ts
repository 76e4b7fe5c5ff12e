import type { ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { acceptedStatus } from './forwarding.ts'
import { IdleWatch } from '../../lib/longTimer.ts'
import { latin1, readResponseHead } from './responseHead.ts'
import type { Upstream, Work } from './upstream.ts'

/** What the request learns from one attempt. Exactly one of `finished`, `failed` and `unprocessed` ends it. */
export interface ExchangeEvents {
  /** A connection is there; the request is being written. */
  sending(): void
  /** A peer has begun to process it. */
  accepted(): void
  answered(status: number): void
  finished(): void
  failed(error: Error): void
  /** A peer has no instance for it, and has read none of the body that counts. */
  unprocessed(): void
}

export interface ExchangeParts {
  upstream: Upstream
  response: ServerResponse
  hasBody: boolean
  events: ExchangeEvents
  clock: Clock
  idleMs: number | null
}

/** One attempt to have one upstream answer one request: undici's handler, streaming straight to the client's response. */
export class Exchange implements Dispatcher.DispatchHandler, Work {
  long = false
  /** A connection was there for it. */
  connected = false
  /** Some of it may have reached the upstream. undici writes the head together with the first of the body. */
  sent = false
  /** Some of an answer has arrived. */
  answering = false
  /** The answer's head has gone to the client. */
  answered = false
  wasCut = false
  readonly upstream: Upstream
  readonly #parts: ExchangeParts
  #controller: Dispatcher.DispatchController | null = null
  #abortReason: Error | null = null
  #wroteBody = false
  #unprocessed = false
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
    this.abort(new Error('the instance is stopped and its time is over'))
  }

  /** Before there is a connection, it ends as soon as there is one, and nothing is sent. */
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
    this.#parts.events.sending()
  }

  onBodySent(): void {
    this.sent = true
  }

  onRequestSent(): void {
    this.sent = true
  }

  onResponseStarted(): void {
    this.answering = true
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    if (status < 200) return this.#interim(status, headers)
    const head = readResponseHead(rawList(controller.rawHeaders), this.upstream.kind === 'peer')
    if (head.unprocessed) {
      this.#unprocessed = true
      return
    }
    const { response, events, idleMs, clock } = this.#parts
    this.long = head.eventStream
    response.writeHead(status, statusText ?? '', head.passed)
    this.answered = true
    events.answered(status)
    if (idleMs !== null) this.#idle = new IdleWatch(idleMs, clock, () => this.abort(new Error('idle')))
    // Head and first bytes that came together leave together; a head alone leaves at once.
    process.nextTick(() => {
      if (!this.#wroteBody && !this.#over) response.flushHeaders()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { response } = this.#parts
    if (this.#unprocessed || response.destroyed) return
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
    if (this.#unprocessed) return events.unprocessed()
    const trailers = rawList(controller.rawTrailers)
    if (trailers.length > 0) response.addTrailers(pairs(trailers))
    response.end()
    events.finished()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return
    this.#end()
    if (this.#unprocessed) this.#parts.events.unprocessed()
    else this.#parts.events.failed(error)
  }

  #interim(status: number, headers: Record<string, string | string[] | undefined>): void {
    this.answering = false
    const { response, events } = this.#parts
    if (status === acceptedStatus && this.upstream.kind === 'peer') events.accepted()
    if (status === 103 && headers['link'] !== undefined) response.writeEarlyHints({ link: headers['link'] })
  }

  #end(): void {
    this.#over = true
    this.#idle?.stop()
    if (this.#controller) this.upstream.pool.finished()
    this.upstream.ended(this)
  }
}

/** undici hands over what its parser saw: a flat list of buffers. */
function rawList(raw: unknown): (Buffer | string)[] {
  return Array.isArray(raw) ? (raw as (Buffer | string)[]) : [] // `rawHeaders` of HTTP/1.1 is such a list
}

function pairs(flat: (Buffer | string)[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([latin1(flat[i]), latin1(flat[i + 1])])
  return list
}
