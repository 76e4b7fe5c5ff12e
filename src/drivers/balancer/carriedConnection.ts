import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { request as httpRequest } from '../../lib/nodeHttp.ts'
import type { TcpPlannedRoute } from './balancer.ts'
import type { BalancerServices } from './balancerServices.ts'
import { forwardedHeader, tcpAuthority, unprocessedHeader } from './forwarding.ts'
import { ignoreLateError, openSocket } from './openSocket.ts'
import type { BoundRoute } from './routingTable.ts'
import { Search, type Failure } from './search.ts'
import { Splice } from './splice.ts'
import type { Upstream } from './upstream.ts'

type TcpRoute = BoundRoute<TcpPlannedRoute>

export interface CarriedConnectionEvents {
  /** An upstream has accepted the connection: bytes may flow now. */
  accepted(): void
  /** No upstream accepts the connection, and no byte of it was passed on. */
  refused(): void
}

type Dialled = (failure: { kind: Failure; reason: string } | null, socket: Socket | null) => void

/**
 * One TCP connection of a client: its bytes wait until an upstream is connected, then the two connections are joined.
 */
export class CarriedConnection {
  readonly #services: BalancerServices
  readonly #client: Socket
  readonly #search: Search<TcpPlannedRoute>
  readonly #events: CarriedConnectionEvents

  constructor(
    services: BalancerServices,
    client: Socket,
    way: { lookUp: () => TcpRoute | null; forwarded: boolean; events: CarriedConnectionEvents },
  ) {
    this.#services = services
    this.#client = client
    this.#events = way.events
    this.#search = new Search(services, way.lookUp, { forwarded: way.forwarded, sentBefore: false })
    client.on('error', ignoreLateError)
    client.once('close', () => this.#search.leave())
    client.read(0) // reads ahead up to the limit of the buffer, so that a reset is noticed
  }

  attempt(): void {
    const found = this.#search.next()
    if (!found) return this.#refuse('no-route')
    const { route, upstream } = found
    if (upstream) return this.#dial(route, upstream)
    const expire = (): void => this.#refuse('no-instance')
    const held = this.#search.hold(route, () => this.attempt(), expire)
    if (held === 'full') this.#refuse('held')
    else if (held !== 'held') expire()
  }

  #dial(route: TcpRoute, upstream: Upstream): void {
    const { limits, machine, metrics, passed } = this.#services
    const work = { long: true, cut: (): void => void dialling.destroy() }
    const dialled: Dialled = (failure, socket) => {
      this.#client.off('close', gone)
      if (socket) return this.#join(route, upstream, socket, work)
      upstream.ended(work)
      if (this.#client.destroyed) return
      metrics.retries += 1
      passed.retried(route.planned.service)
      passed.failed(upstream, route.planned.service)
      this.#search.failed(upstream, failure?.kind ?? 'unsent', failure?.reason ?? '') // no byte was sent
      this.attempt()
    }
    const dialling =
      upstream.kind === 'instance'
        ? openSocket(upstream.address, limits.connectMs, (error, socket) => {
            if (error) dialled({ kind: 'unreachable', reason: error.message }, null)
            else dialled(null, socket)
          })
        : dialPeer(upstream, { name: route.planned.own.name, machine, connectMs: limits.connectMs }, dialled)
    const gone = (): void => void dialling.destroy()
    this.#client.once('close', gone)
    upstream.began(work)
  }

  #join(route: TcpRoute, upstream: Upstream, socket: Socket, work: { long: boolean; cut: () => void }): void {
    if (this.#client.destroyed) {
      socket.destroy()
      return upstream.ended(work)
    }
    this.#services.metrics.connected(route.planned.service)
    this.#services.passed.connected(upstream, route.planned.service)
    this.#events.accepted()
    const splice = new Splice(this.#client, socket, {
      idleMs: route.planned.idleMs,
      webSocket: false,
      clock: this.#services.clock,
      lingerMs: this.#services.limits.lingerMs,
      onEnd: () => upstream.ended(work),
    })
    work.cut = () => splice.cut()
  }

  #refuse(reason: 'no-route' | 'no-instance' | 'held'): void {
    this.#services.metrics.refused(reason)
    this.#events.refused()
  }
}

/** Opens a tunnel through the balancer of another machine to an instance there. */
function dialPeer(
  upstream: Upstream,
  { name, machine, connectMs }: { name: string; machine: string; connectMs: number },
  dialled: Dialled,
): ClientRequest {
  let settled = false
  let connected = false
  const settle: Dialled = (failure, socket) => {
    if (settled) return
    settled = true
    clearTimeout(timer)
    dialled(failure, socket)
  }
  const request = httpRequest({
    method: 'CONNECT',
    path: tcpAuthority(name),
    headers: ['Host', tcpAuthority(name), forwardedHeader, machine],
    createConnection: (_options, done) => {
      openSocket(upstream.address, connectMs, (error, socket) => {
        connected = error === null
        done(error, socket)
      })
      return undefined
    },
  })
  // The peer itself may need `connectMs` to reach its instance.
  const timer = setTimeout(() => request.destroy(new Error('the peer did not answer in time')), connectMs * 2)
  request.on('connect', (answer, socket: Socket, head) => {
    if (answer.statusCode === 200) {
      if (head.length > 0) socket.unshift(head)
      return settle(null, socket)
    }
    socket.on('error', ignoreLateError).destroy()
    const marked = answer.headers[unprocessedHeader] !== undefined
    settle({ kind: marked ? 'unprocessed' : 'unsent', reason: `the peer answered ${answer.statusCode}` }, null)
  })
  request.on('error', (error) => settle({ kind: connected ? 'unsent' : 'unreachable', reason: error.message }, null))
  request.end()
  return request
}
