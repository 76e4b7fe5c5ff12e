import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpPlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { endSoon } from './endSoon.ts'
import { Exchange, type ExchangeEvents } from './exchange.ts'
import { forPeer } from './forwarding.ts'
import type { RefusalReason } from './metrics.ts'
import {
  badRequest,
  brokenOff,
  noInstance,
  noRoute,
  outOfTime,
  send,
  tooLarge,
  tooManyHeld,
  unprocessed,
  type Page,
} from './pages.ts'
import type { IncomingHead } from './incomingHead.ts'
import { RequestBody } from './requestBody.ts'
import { isRepeatable } from './requestHead.ts'
import type { BoundRoute } from './routingTable.ts'
import { Search, type Failure } from './search.ts'
import type { Upstream } from './upstream.ts'

type HttpRoute = BoundRoute<HttpPlannedRoute>

/**
 * One HTTP request on its way through this machine.
 *
 * A request is `trying` (an exchange is under way), `held` (it waits for the next plan), or over. Trying ends in an
 * answer or in a failure. After a failure the request is tried on the next upstream if nothing was sent, or if sending
 * it twice is harmless and no byte of an answer has arrived. If no upstream is left, the request is held if the route
 * requires that, or else answered with a page.
 */
export class ProxiedRequest implements ExchangeEvents {
  readonly #services: BalancerServices
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #incoming: IncomingHead
  readonly #search: Search<HttpPlannedRoute>
  readonly #hasBody: boolean
  #body: RequestBody | null = null
  #route: HttpRoute
  #exchange: Exchange | null = null
  #told = false
  #over = false

  constructor(
    services: BalancerServices,
    request: IncomingMessage,
    response: ServerResponse,
    incoming: IncomingHead,
    route: HttpRoute,
  ) {
    this.#services = services
    this.#request = request
    this.#response = response
    this.#incoming = incoming
    this.#route = route
    this.#hasBody = incoming.head.chunked || (incoming.head.contentLength ?? 0) > 0
    const lookUp = (): HttpRoute | null => services.table.http(incoming)
    this.#search = new Search(services, lookUp, { forwarded: incoming.forwarded, sentBefore: incoming.head.sentBefore })
  }

  start(): void {
    this.#response.on('close', () => this.#giveUp('the client closed the connection'))
    const limitBytes = this.#route.planned.bodyBytes
    if (limitBytes !== null && (this.#incoming.head.contentLength ?? 0) > limitBytes) {
      return this.#refuse(tooLarge(limitBytes), 'body')
    }
    if (this.#hasBody) this.#body = this.#openBody(limitBytes)
    this.#attempt()
  }

  /** The client broke the protocol in the middle of its body; no instance may take this for a whole request. */
  malformed(): void {
    this.#giveUp('the client sent a malformed body')
  }

  /**
   * The client has ended its side, and may still wait for the answer. A client that reads an event stream is gone: such
   * clients end a connection to leave it, and the next event, whose write would fail, may be a long time away. For any
   * other client, a write shows whether it is still there.
   */
  clientEnded(): void {
    if (this.#exchange?.long) this.#request.socket.destroy()
  }

  sending(): void {
    if (this.#told) return
    this.#told = true
    if (this.#incoming.head.expectsContinue) this.#response.writeContinue()
    if (this.#incoming.forwarded && this.#hasBody) this.#response.writeProcessing()
  }

  accepted(): void {
    this.#body?.accepted()
  }

  interim(status: number): void {
    this.#passed(status)
  }

  answered(status: number): void {
    this.#services.metrics.answered(this.#route.planned.service, status)
    this.#passed(status)
  }

  finished(): void {
    this.#over = true
    this.#linger()
  }

  unprocessed(sent: boolean): void {
    const upstream = this.#exchange?.upstream
    this.#exchange = null
    if (this.#over || !upstream) return
    if (this.#body && !this.#body.replayable) return this.#brokenOff('the other machine refused the request too late')
    this.#goOn(upstream, sent ? 'broken' : 'unprocessed', 'no instance on the other machine')
  }

  failed(error: Error): void {
    const exchange = this.#exchange
    this.#exchange = null
    if (this.#over || !exchange) return
    if (exchange.answered) return this.#truncate()
    if (isInvalid(error)) return this.#refuse(badRequest(error.message), 'malformed')
    const { upstream, connected, sent, wasCut, answering } = exchange
    if (!wasCut) this.#services.passed.failed(upstream, this.#route.planned.service)
    if (!sent) return this.#goOn(upstream, connected || wasCut ? 'unsent' : 'unreachable', error.message)
    if (wasCut || upstream.stopping) return this.#answer(outOfTime(this.#route.planned.service))
    if (answering || !this.#repeatable()) return this.#brokenOff(error.message)
    this.#goOn(upstream, 'broken', error.message)
  }

  #goOn(upstream: Upstream, failure: Failure, reason: string): void {
    if (!this.#search.failed(upstream, failure, reason)) {
      return this.#answer(brokenOff(this.#route.planned.service, reason, true))
    }
    this.#services.metrics.retries += 1
    this.#services.passed.retried(this.#route.planned.service)
    this.#attempt()
  }

  #attempt(): void {
    const found = this.#search.next()
    if (!found) return this.#noRoute()
    this.#route = found.route
    if (!found.upstream) return this.#noneLeft()
    const peer = found.upstream.kind === 'peer'
    const { path, headers, route } = this.#incoming
    this.#exchange = new Exchange({
      upstream: found.upstream,
      response: this.#response,
      hasBody: this.#hasBody,
      events: this,
      clock: this.#services.clock,
      idleMs: this.#route.planned.idleMs,
    })
    this.#exchange.start({
      method: this.#request.method ?? 'GET',
      path,
      headers: peer ? headers.concat(forPeer(this.#services.machine, route, this.#search.sent)) : headers,
      body: this.#body?.open(peer) ?? null,
      reset: false,
    })
  }

  #noneLeft(): void {
    const { service, holdMs } = this.#route.planned
    // A request that was sent here and failed may be sent twice, or this point would not be reached: the entry may try
    // others.
    if (this.#incoming.forwarded) return this.#refuse(unprocessed(service, this.#search.sent), 'unprocessed')
    const expire = (): void => this.#refuse(noInstance(service, holdMs), 'no-instance')
    const held = this.#search.hold(this.#route, () => this.#attempt(), expire)
    if (held === 'full') this.#refuse(tooManyHeld(service), 'held')
    if (held === 'no') this.#refuse(noInstance(service, null), 'no-instance')
    if (held === 'over') expire()
  }

  #noRoute(): void {
    if (this.#incoming.forwarded) this.#refuse(unprocessed(this.#route.planned.service), 'unprocessed')
    else this.#refuse(noRoute(this.#incoming.host), 'no-route')
  }

  #repeatable(): boolean {
    if (this.#body && !this.#body.replayable) return false
    return isRepeatable(this.#request.method ?? '', this.#incoming.head)
  }

  #brokenOff(reason: string): void {
    this.#answer(brokenOff(this.#route.planned.service, reason))
  }

  #refuse(page: Page, reason: RefusalReason): void {
    this.#services.metrics.refused(reason)
    this.#answer(page, reason !== 'unprocessed')
  }

  /** `isFinal`: the client gets this page; another machine that forwarded the request may still find an instance. */
  #answer(page: Page, isFinal = true): void {
    const { service } = this.#route.planned
    this.#over = true
    this.#services.metrics.answered(service, page.status)
    if (isFinal) this.#services.passed.own(service, page.status)
    send(this.#response, page)
    this.#linger()
  }

  /** The answer had begun and cannot be completed: the client must see that it is incomplete. */
  #truncate(): void {
    this.#over = true
    if (this.#response.socket) endSoon(this.#response.socket, this.#services.limits.lingerMs)
  }

  #openBody(limitBytes: number | null): RequestBody {
    return new RequestBody(this.#request, {
      replayBytes: this.#services.limits.replayBytes,
      limitBytes,
      onTooLarge: () => {
        if (this.#over) return
        this.#over = true
        this.#exchange?.abort(new Error('the body is larger than the limit'))
        if (this.#response.headersSent) this.#truncate()
        else this.#refuse(tooLarge(limitBytes ?? 0), 'body')
      },
    })
  }

  /**
   * The answer was sent before the whole body was read: the rest is dropped for a while, so that the client can read
   * the answer.
   */
  #linger(): void {
    if (!this.#hasBody || this.#request.complete) return
    if (this.#body) this.#body.discard()
    else this.#request.resume()
    const { socket } = this.#request
    const timer = setTimeout(() => socket.destroy(), this.#services.limits.lingerMs)
    this.#request.once('close', () => clearTimeout(timer))
  }

  #passed(status: number): void {
    if (this.#exchange) this.#services.passed.answered(this.#exchange.upstream, this.#route.planned.service, status)
  }

  #giveUp(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#search.leave()
    this.#exchange?.abort(new Error(reason))
  }
}

/** undici refuses to send a request that it considers malformed; the parser of Node is a little more lenient. */
function isInvalid(error: Error): boolean {
  return 'code' in error && error.code === 'UND_ERR_INVALID_ARG'
}
