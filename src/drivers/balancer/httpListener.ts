import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer } from '../../lib/nodeHttp.ts'
import type { BalancerServices } from './balancerServices.ts'
import { endSoon } from './endSoon.ts'
import { readIncoming, type CameTo } from './incomingHead.ts'
import { ignoreLateError } from './openSocket.ts'
import {
  badRequest,
  headersTooLarge,
  headersTooLate,
  noRoute,
  notPlanned,
  rawPage,
  send,
  unprocessed,
  type Page,
} from './pages.ts'
import { ProxiedRequest } from './proxiedRequest.ts'
import { RawTargetConnection, rawTargetAt, type ParseError } from './rawTargetConnection.ts'
import { UpgradedConnection } from './upgradedConnection.ts'

/** Size of the headers that a forwarding balancer adds to the headers that its entry accepted. */
const forwardedHeaderBytes = 8 * 1024

export interface HttpListenerEvents {
  connect(request: IncomingMessage, socket: Socket, head: Buffer): void
}

/**
 * The HTTP server of the entry, of the forwarding port, or of a route with its own port. Node parses strictly. By its
 * own timeouts, Node closes only unused connections and connections whose headers do not end.
 */
export function createHttpListener(services: BalancerServices, cameTo: CameTo, events: HttpListenerEvents): Server {
  const { forwarded } = cameTo
  const { limits, metrics, gate } = services
  const current = new WeakMap<Duplex, { request: ProxiedRequest; response: ServerResponse }>()
  const readElsewhere = new WeakSet<Duplex>()
  const server = createServer({
    maxHeaderSize: limits.headerBytes + (forwarded ? forwardedHeaderBytes : 0),
    requestTimeout: 0,
    headersTimeout: limits.headersMs,
    keepAliveTimeout: limits.clientIdleMs,
    connectionsCheckingInterval: Math.max(100, Math.min(30_000, limits.headersMs / 2)),
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: isUpgrade,
  })
  // A client may end its side after its request and still read (RFC 9293, 3.6); a balancer that ends its side has given
  // up.
  Object.assign(server, { httpAllowHalfOpen: !forwarded }) // an undocumented property since Node 0.x
  server.maxHeadersCount = 0 // bounded by maxHeaderSize; Node would silently drop headers above the count

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', ignoreLateError)
    if (request.socket instanceof RawTargetConnection) response.shouldKeepAlive = false
    const incoming = readIncoming(request, cameTo)
    if ('status' in incoming) {
      metrics.refused(incoming.status === 403 ? 'not-forwarded' : 'malformed')
      return send(response, incoming)
    }
    const route = services.table.http(incoming)
    if (!route) {
      metrics.refused('no-route')
      if (forwarded) return send(response, unprocessed('that name'))
      return send(response, services.table.planned ? noRoute(incoming.host) : notPlanned())
    }
    const proxied = new ProxiedRequest(services, request, response, incoming, route)
    current.set(request.socket, { request: proxied, response })
    proxied.start()
  }

  server.on('connection', (socket: Socket | RawTargetConnection) => {
    socket.setDefaultEncoding('latin1') // for heads, which Node flushes without an encoding
    socket.once('end', () => current.get(socket)?.request.clientEnded())
    if (!(socket instanceof RawTargetConnection) && !gate.admit(socket)) metrics.refused('connections')
  })
  server.on('request', serve)
  server.on('checkContinue', serve)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The sockets of this server are TCP sockets; the type of Node allows others.
    new UpgradedConnection(services, request, socket as Socket, head, cameTo).start()
  })
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    events.connect(request, socket as Socket, head) // a TCP socket too
  })
  const readOn = (socket: Socket, { target, bytes }: { target: string; bytes: Buffer }): void => {
    const before = current.get(socket)?.response
    const connection = new RawTargetConnection(socket, target, bytes)
    const start = (): void => void server.emit('connection', connection)
    readElsewhere.add(socket)
    if (before && !before.closed) before.once('close', start)
    else start()
  }
  server.on('clientError', (error: ParseError, socket: Duplex) => {
    if (readElsewhere.has(socket)) return
    const raw = rawTargetAt(error)
    if (raw && !socket.destroyed) return readOn(socket as Socket, raw) // a TCP socket too
    const open = current.get(socket)
    open?.request.malformed()
    const page = pageFor(error)
    if (page && !isLost(error)) metrics.refused(page.status === 431 ? 'headers' : 'malformed')
    const begun = open !== undefined && open.response.headersSent && !open.response.writableFinished
    if (!page || begun || !socket.writable) return void socket.destroy()
    socket.write(rawPage(page), 'utf8')
    endSoon(socket as Socket, limits.lingerMs) // a TCP socket too
  })
  return server
}

/**
 * An Upgrade is an offer that a server may ignore (RFC 9110, 7.8). The client of Java always offers HTTP/2. With a
 * body, the other protocol would begin only after the body: such a request is an ordinary request here, as for HAProxy.
 */
function isUpgrade({ headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return !hasBody && !/^h2c\b/i.test(headers.upgrade ?? '')
}

function pageFor(error: NodeJS.ErrnoException): Page | null {
  if (isLost(error)) return null
  if (error.code === 'HPE_HEADER_OVERFLOW') return headersTooLarge()
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return headersTooLate()
  return badRequest('the request is not well-formed HTTP/1.1')
}

function isLost(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}
