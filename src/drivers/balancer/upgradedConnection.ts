import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { request as httpRequest, ServerResponse } from '../../lib/nodeHttp.ts'
import type { HttpPlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { endSoon } from './endSoon.ts'
import { forwardedHeader } from './forwarding.ts'
import { readIncoming, type IncomingHead } from './incomingHead.ts'
import type { RefusalReason } from './metrics.ts'
import { ignoreLateError, openSocket } from './openSocket.ts'
import { noInstance, noRoute, notPlanned, rawPage, tooManyHeld, unprocessed, type Page } from './pages.ts'
import { readResponseHead } from './responseHead.ts'
import type { BoundRoute } from './routingTable.ts'
import { Search } from './search.ts'
import { Splice } from './splice.ts'
import type { Upstream } from './upstream.ts'

interface UpgradeWork {
  long: boolean
  cut: () => void
}

/**
 * One `Upgrade` request: a WebSocket or any other protocol. First it is a request that may be tried on one upstream after
 * another; once an upstream has answered 101 it is two connections joined. Any other answer goes to the client as it is.
 */
export class UpgradedConnection {
  readonly #services: BalancerServices
  readonly #request: IncomingMessage
  readonly #client: Socket
  readonly #forwarded: boolean
  #service = ''
  #pending: ClientRequest | null = null
  #answered = false

  constructor(services: BalancerServices, request: IncomingMessage, client: Socket, head: Buffer, forwarded: boolean) {
    this.#services = services
    this.#request = request
    this.#client = client
    this.#forwarded = forwarded
    client.on('error', ignoreLateError)
    if (head.length > 0) client.unshift(head)
  }

  start(): void {
    const { table, metrics } = this.#services
    const incoming = readIncoming(this.#request, this.#forwarded)
    if ('status' in incoming) {
      metrics.refused(incoming.status === 403 ? 'not-forwarded' : 'malformed')
      return this.#end(incoming)
    }
    const search = new Search(this.#services, () => table.http(incoming.host, incoming.path), this.#forwarded)
    this.#client.once('close', () => {
      search.leave()
      if (!this.#answered) this.#pending?.destroy()
    })
    this.#client.read(0) // reads ahead up to the buffer's limit: a client that goes away is noticed
    this.#attempt(incoming, search)
  }

  #attempt(incoming: IncomingHead, search: Search<HttpPlannedRoute>): void {
    const found = search.next()
    if (!found) {
      const page = this.#services.table.planned ? noRoute(incoming.host) : notPlanned()
      return this.#refuse(this.#forwarded ? unprocessed('that name') : page, 'no-route')
    }
    const { route, upstream } = found
    this.#service = route.planned.service
    if (upstream) return this.#handshake(incoming, search, route, upstream)
    if (this.#forwarded) return this.#refuse(unprocessed(this.#service), 'unprocessed')
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
    const outcome = { connected: false, answered: false }
    const request = this.#send(incoming, upstream, () => (outcome.connected = true))
    this.#pending = request
    const work: UpgradeWork = { long: false, cut: () => request.destroy() }
    upstream.began(work)
    const again = (failure: Parameters<typeof search.failed>[1], reason: string): void => {
      upstream.ended(work)
      if (this.#client.destroyed) return
      this.#services.metrics.retries += 1
      search.failed(upstream, failure, reason)
      this.#attempt(incoming, search)
    }
    request.on('upgrade', (answer, socket: Socket, head) => {
      outcome.answered = true
      this.#join({ answer, socket, head, work, route, upstream })
    })
    request.on('response', (answer) => {
      outcome.answered = true
      const { passed, unprocessed } = readResponseHead(answer.rawHeaders, upstream.kind === 'peer')
      if (unprocessed) {
        request.destroy()
        return again('unprocessed', 'no instance there')
      }
      this.#relay(answer, passed, () => upstream.ended(work))
    })
    request.on('error', (error) => {
      if (!outcome.answered) again(outcome.connected ? 'broken' : 'unreachable', error.message)
    })
    request.end()
  }

  #send(incoming: IncomingHead, upstream: Upstream, connected: () => void): ClientRequest {
    const marker = upstream.kind === 'peer' ? [forwardedHeader, this.#services.machine] : []
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
    const { metrics, clock, limits } = this.#services
    this.#answered = true
    metrics.answered(this.#service, 101)
    if (this.#client.destroyed) {
      socket.destroy()
      return upstream.ended(work)
    }
    this.#client.write(switchingHead(answer))
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

  /** The instance does not switch protocols: its answer is an ordinary one. */
  #relay(answer: IncomingMessage, headers: string[], done: () => void): void {
    this.#answered = true
    this.#services.metrics.answered(this.#service, answer.statusCode ?? 0)
    const response = new ServerResponse(this.#request)
    response.on('error', ignoreLateError)
    response.shouldKeepAlive = false
    response.assignSocket(this.#client)
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
    answer.on('error', () => this.#client.destroy())
    this.#client.once('close', () => answer.destroy())
    answer.once('close', done)
    answer.pipe(response)
    response.on('finish', () => endSoon(this.#client, this.#services.limits.lingerMs))
  }

  #refuse(page: Page, reason: RefusalReason): void {
    this.#services.metrics.refused(reason)
    if (this.#service) this.#services.metrics.answered(this.#service, page.status)
    this.#end(page)
  }

  #end(page: Page): void {
    if (this.#client.writable) this.#client.write(rawPage(page))
    endSoon(this.#client, this.#services.limits.lingerMs)
  }
}

/** The 101 as the upstream wrote it. */
function switchingHead(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? 'Switching Protocols'}`]
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
