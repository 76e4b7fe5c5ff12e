import type { IncomingMessage } from 'node:http'
import { forwardedRoute } from './forwarding.ts'
import { badRequest, notForwarded, type Page } from './pages.ts'
import { forwardedHeaders, readRequestHead, type RequestHead } from './requestHead.ts'
import { RawTargetConnection } from './rawTargetConnection.ts'
import { absoluteTarget, hostName } from './router.ts'

/** The head of a request as the balancer understands it. */
export interface IncomingHead {
  head: RequestHead
  /** The requested host name, for the router. */
  host: string
  /** The route whose own port received the request, here or on the forwarding machine; `null`: host and path decide. */
  route: string | null
  /** The target as received, query string included. */
  path: string
  /** The forwarding port received the request: only local instances may serve it. */
  forwarded: boolean
  /** The headers to pass on: flat name, value. */
  headers: string[]
}

/** The listener that received a request. */
export interface CameTo {
  /** The port for other machines. */
  forwarded: boolean
  /**
   * The route that this port belongs to at present; `null`: host and path decide, or the forwarding machine names the
   * route.
   */
  route: () => string | null
}

/** Returns the head, or the page that refuses the request. */
export function readIncoming(request: IncomingMessage, cameTo: CameTo): IncomingHead | Page {
  const { forwarded } = cameTo
  const head = readRequestHead(request.rawHeaders, forwarded)
  if (forwarded && head.forwardedBy === null) return notForwarded()
  if (head.severalHosts) return badRequest('the request has more than one Host header')
  const { socket } = request
  const raw = socket instanceof RawTargetConnection ? socket.takeTarget() : null
  const target = raw ?? request.url ?? '/'
  if (target.startsWith('/')) return incoming(request, head, target, cameTo)
  const absolute = absoluteTarget(target)
  if (!absolute) return badRequest('the request target is not a path')
  // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host header.
  head.host = absolute.authority
  head.passed = withHost(head.passed, absolute.authority)
  return incoming(request, head, absolute.path, cameTo)
}

function incoming(
  request: IncomingMessage,
  head: RequestHead,
  path: string,
  { forwarded, route: own }: CameTo,
): IncomingHead | Page {
  if (!isAuthority(head.host ?? '')) return badRequest('the Host header is not a host name')
  const headers = forwarded ? head.passed : head.passed.concat(forwardedHeaders(head, request.socket.remoteAddress))
  const route = forwarded ? forwardedRoute(head.forwardedBy) : own()
  return { head, host: hostName(head.host ?? ''), route, path, forwarded, headers }
}

/**
 * RFC 9112, 3.2: any other value gets a 400. The client library of the upstream would reject it, and the request would
 * look as if no instance had answered.
 */
const isAuthority = (text: string): boolean => /^(\[[0-9a-f:.]+\]|[^\s[\]@/?#\\:]*)(:\d*)?$/i.test(text)

function withHost(flat: string[], authority: string): string[] {
  return flat.map((text, index) => (index % 2 === 1 && flat[index - 1]?.toLowerCase() === 'host' ? authority : text))
}
