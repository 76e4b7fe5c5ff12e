import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { request as httpRequest, ServerResponse } from '../../lib/nodeHttp.ts'
import type { HttpPlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { passedOnInterim } from './answerStart.ts'
import { EarlyBytes } from './earlyBytes.ts'
import { endSoon } from './endSoon.ts'
import { forPeer } from './forwarding.ts'
import { readIncoming, type CameTo, type IncomingHead } from './incomingHead.ts'
import type { RefusalReason } from './metrics.ts'
import { ignoreLateError, openSocket } from './openSocket.ts'
import {
  brokenOff,
  noInstance,
  noRoute,
  notPlanned,
  outOfTime,
  rawPage,
  tooManyHeld,
  unprocessed,
  type Page,
} from './pages.ts'
import { isRepeatable } from './requestHead.ts'
import { headText, pairs, readResponseHead, writeAnswerHead, type ResponseHead } from './responseHead.ts'
import type { BoundRoute } from './routingTable.ts'
import { Search, type Failure } from './search.ts'
import { Splice } from './splice.ts'
import type { Upstream } from './upstream.ts'

interface UpgradeWork {
  long: boolean
  cut: () => void
}

/**
 * One `Upgrade` request: a WebSocket or any other protocol. First it is a request that may be tried on one upstream
 * after another; a client that ends its side meanwhile counts as gone. Once an upstream has answered 101, the two
 * connections are joined. Any other answer is passed to the client unchanged.
 */
export class UpgradedConnection {
  readonly #services: BalancerServices
  readonly #request: IncomingMessage
  readonly #client: Socket
  readonly #cameTo: CameTo
  #service = ''
  #pending: ClientRequest | null = null
  #answered = false
  readonly #early: EarlyBytes

  constructor(services: BalancerServices, request: IncomingMessage, client: Socket, head: Buffer, cameTo: CameTo) {
    this.#services = services
    this.#request = request
    this.#client = client
    this.#cameTo = cameTo
    client.on('error', ignoreLateError)
    if (head.length > 0) client.unshift(head)
    this.#early = new EarlyBytes(client, services.limits.replayBytes, () => client.destroy())
  }

  start(): void {
    const { table, metrics } = this.#services
    const incoming = readIncoming(this.#request, this.#cameTo)
    if ('status' in incoming) {
      metrics.refused(incoming.status === 403 ? 'not-forwarded' : 'malformed')
      return this.#end(incoming)
    }
    const search = new Search(this.#services, () => table.http(incoming), {
      forwarded: this.#cameTo.forwarded,
      sentBefore: incoming.head.sentBefore,
    })
    this.#client.once('close', () => {
      search.leave()
      if (!this.#answered) this.#pending?.destroy()
    })
    this.#attempt(incoming, search)
  }

  #attempt(incoming: IncomingHead, search: Search<HttpPlannedRoute>): void {
    const found = search.next()
    if (!found) {
      const page = this.#services.table.planned ? noRoute(incoming.host) : notPlanned()
      return this.#refuse(this.#cameTo.forwarded ? unprocessed('that name') : page, 'no-route')
    }
    const { route, upstream } = found
    this.#service = route.planned.service
    if (upstream) return this.#handshake(incoming, search, route, upstream)
    if (this.#cameTo.forwarded) return this.#refuse(unprocessed(this.#service, search.sent), 'unprocessed')
    const expire = (): void => this.#refuse(noInstance(this.#service, route.planned.holdMs), 'no-instance')
    const held = search.hold(route, () => this.#attempt(incoming, search), expire)
    if (held === 'full') this.#refuse(tooManyHeld(this.#service), 'held')
    if (held === 'no') this.#refuse(noInstance(this.#service, null), 'no-instance')
    if (held === 'over') expire()
  }

  #handshake(
    incoming: IncomingHead,
    search: Search<HttpPlannedRoute>,
    route: BoundRoute<HttpPlannedRoute>,
    upstream: Upstream,
  ): void {
    const outcome = { connected: false, answered: false, cut: false }
    const request = this.#send(incoming, search.sent, upstream, () => (outcome.connected = true))
    this.#pending = request
    const work: UpgradeWork = {
      long: false,
      cut: () => {
        outcome.cut = true
        request.destroy()
      },
    }
    upstream.began(work)
    const failed = (failure: Failure, reason: string): void => {
      upstream.ended(work)
      if (this.#client.destroyed) return
      if (failure !== 'unprocessed' && !outcome.cut) this.#services.passed.failed(upstream, this.#service)
      const page = this.#afterFailure(failure, incoming, outcome.cut || upstream.stopping, reason)
      if (page) return this.#answer(page)
      if (!search.failed(upstream, failure, reason)) return this.#answer(brokenOff(this.#service, reason, true))
      this.#services.metrics.retries += 1
      this.#services.passed.retried(this.#service)
      this.#attempt(incoming, search)
    }
    const misanswered = (reason: string): void => {
      upstream.ended(work)
      request.destroy()
      this.#services.passed.failed(upstream, this.#service)
      this.#answer(brokenOff(this.#service, reason))
    }
    request.on('information', (info) => {
      this.#services.passed.answered(upstream, this.#service, info.statusCode)
      const text = headText(info.statusCode, info.statusMessage, passedOnInterim(info.rawHeaders))
      if (info.statusCode !== 100 && !this.#client.writableNeedDrain) this.#client.write(text, 'latin1')
    })
    request.on('upgrade', (answer, socket: Socket, head) => {
      outcome.answered = true
      this.#join({ answer, socket, head, work, route, upstream })
    })
    request.on('response', (answer) => {
      outcome.answered = true
      const head = readResponseHead(answer.rawHeaders, upstream.kind === 'peer')
      if (head.unprocessed !== 'no') {
        request.destroy()
        return failed(head.unprocessed === 'sent' ? 'broken' : 'unprocessed', 'no instance on the other machine')
      }
      if (answer.statusCode === 101) return misanswered('the instance did not name the new protocol')
      this.#relay(answer, head, upstream, () => upstream.ended(work))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (outcome.answered) return
      if (error.code?.startsWith('HPE_')) return misanswered(error.message)
      failed(outcome.connected ? 'broken' : 'unreachable', error.message)
    })
    request.end()
  }

  /** The page for the client; `null`: the request may be tried elsewhere. */
  #afterFailure(failure: Failure, incoming: IncomingHead, stopped: boolean, reason: string): Page | null {
    if (failure !== 'broken') return null
    if (stopped) return outOfTime(this.#service)
    return isRepeatable(this.#request.method ?? '', incoming.head) ? null : brokenOff(this.#service, reason)
  }

  #send(incoming: IncomingHead, sent: boolean, upstream: Upstream, connected: () => void): ClientRequest {
    const marker = upstream.kind === 'peer' ? forPeer(this.#services.machine, incoming.route, sent) : []
    return httpRequest({
      method: this.#request.method ?? 'GET',
      path: incoming.path,
      headers: [...incoming.headers, ...marker, 'Connection', 'Upgrade', 'Upgrade', incoming.head.upgrade ?? ''],
      createConnection: (_options, done) => {
        openSocket(upstream.address, this.#services.limits.connectMs, (error, socket) => {
          if (!error) connected()
          done(error, socket)
        })
        return undefined
      },
    })
  }

  #join(parts: {
    answer: IncomingMessage
    socket: Socket
    head: Buffer
    work: UpgradeWork
    route: BoundRoute<HttpPlannedRoute>
    upstream: Upstream
  }): void {
    const { answer, socket, head, work, route, upstream } = parts
    const { metrics, passed, clock, limits } = this.#services
    this.#answered = true
    metrics.answered(this.#service, 101)
    passed.answered(upstream, this.#service, 101)
    if (this.#client.destroyed) {
      socket.destroy()
      return upstream.ended(work)
    }
    this.#early.putBack()
    this.#client.write(headText(101, answer.statusMessage ?? '', answer.rawHeaders), 'latin1')
    if (head.length > 0) socket.unshift(head)
    const splice = new Splice(this.#client, socket, {
      idleMs: route.planned.idleMs,
      webSocket: /^websocket$/i.test(this.#request.headers.upgrade ?? ''),
      clock,
      lingerMs: limits.lingerMs,
      onEnd: () => upstream.ended(work),
    })
    work.long = true
    work.cut = () => splice.cut()
  }

  /** The instance does not switch protocols: its answer is an ordinary answer. */
  #relay(answer: IncomingMessage, head: ResponseHead, upstream: Upstream, done: () => void): void {
    this.#answered = true
    this.#early.drop()
    const status = answer.statusCode ?? 502
    this.#services.metrics.answered(this.#service, status)
    this.#services.passed.answered(upstream, this.#service, status)
    const response = new ServerResponse(this.#request)
    response.on('error', ignoreLateError)
    response.shouldKeepAlive = false
    response.assignSocket(this.#client)
    writeAnswerHead(response, status, answer.statusMessage ?? '', head)
    response.flushHeaders()
    answer.on('error', () => this.#client.destroy())
    this.#client.once('close', () => answer.destroy())
    answer.once('close', done)
    answer.once('end', () => response.addTrailers(pairs(answer.rawTrailers)))
    answer.pipe(response)
    response.on('finish', () => endSoon(this.#client, this.#services.limits.lingerMs))
  }

  #refuse(page: Page, reason: RefusalReason): void {
    this.#services.metrics.refused(reason)
    this.#answer(page, reason !== 'unprocessed')
  }

  /** `isFinal`: as for other requests, no other machine can still find an instance. */
  #answer(page: Page, isFinal = true): void {
    if (this.#service) this.#services.metrics.answered(this.#service, page.status)
    if (this.#service && isFinal) this.#services.passed.own(this.#service, page.status)
    this.#end(page)
  }

  #end(page: Page): void {
    this.#answered = true
    this.#early.drop()
    if (this.#client.writable) this.#client.write(rawPage(page), 'utf8')
    endSoon(this.#client, this.#services.limits.lingerMs)
  }
}
