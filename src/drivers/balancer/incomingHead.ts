import type { IncomingMessage } from 'node:http'
import { badRequest, notForwarded, type Page } from './pages.ts'
import { forwardedHeaders, readRequestHead, type RequestHead } from './requestHead.ts'
import { RawTargetConnection } from './rawTargetConnection.ts'
import { absoluteTarget, hostName } from './router.ts'

/** A request's head as the balancer understands it. */
export interface IncomingHead {
  head: RequestHead
  /** The name asked for, for the router. */
  host: string
  /** The target as it came, query string included. */
  path: string
  /** It came to the forwarding port: only local instances may serve it. */
  forwarded: boolean
  /** What is passed on: flat name, value. */
  headers: string[]
}

/** The head, or the page that refuses it. `forwarded` says which port it came to. */
export function readIncoming(request: IncomingMessage, forwarded: boolean): IncomingHead | Page {
  const head = readRequestHead(request.rawHeaders, forwarded)
  if (forwarded && head.forwardedBy === null) return notForwarded()
  if (head.severalHosts) return badRequest('there is more than one Host header')
  const { socket } = request
  const raw = socket instanceof RawTargetConnection ? socket.takeTarget() : null
  const target = raw ?? request.url ?? '/'
  if (target.startsWith('/')) return incoming(request, head, target, forwarded)
  const absolute = absoluteTarget(target)
  if (!absolute) return badRequest('the request target is not a path')
  // RFC 9112, 3.2.2: the authority of an absolute target replaces the Host header.
  head.host = absolute.authority
  head.passed = withHost(head.passed, absolute.authority)
  return incoming(request, head, absolute.path, forwarded)
}

function incoming(request: IncomingMessage, head: RequestHead, path: string, forwarded: boolean): IncomingHead | Page {
  if (!isAuthority(head.host ?? '')) return badRequest('the Host header is not a host name')
  const headers = forwarded ? head.passed : head.passed.concat(forwardedHeaders(head, request.socket.remoteAddress))
  return { head, host: hostName(head.host ?? ''), path, forwarded, headers }
}

/** RFC 9112, 3.2: any other is answered 400. The client library of the upstream would refuse it, as if no instance did. */
const isAuthority = (text: string): boolean => /^(\[[0-9a-f:.]+\]|[^\s[\]@/?#\\:]*)(:\d*)?$/i.test(text)

function withHost(flat: string[], authority: string): string[] {
  return flat.map((text, index) => (index % 2 === 1 && flat[index - 1]?.toLowerCase() === 'host' ? authority : text))
}
