import { forwardedHeader, sentHeader } from './forwarding.ts'

/** The facts that the balancer needs from the headers of a request, and the headers that it passes on. */
export interface RequestHead {
  /**
   * Flat name, value, name, value: as received, without headers that belong to one hop or that only a balancer may set.
   */
  passed: string[]
  host: string | null
  /** More than one `Host`: an attack or a bug (RFC 9112, 3.2). */
  severalHosts: boolean
  contentLength: number | null
  chunked: boolean
  expectsContinue: boolean
  /**
   * `If-Match` and similar headers: such a request, sent twice, may fail the second time because the first one did its
   * work.
   */
  conditional: boolean
  forwardedFor: string | null
  /** The machine that forwarded the request, from the internal header. */
  forwardedBy: string | null
  /** The request has reached an instance before, which gave no answer: a forwarding balancer reports this. */
  sentBefore: boolean
  upgrade: string | null
}

/** Headers of one hop (RFC 9110, 7.6.1), and `Expect`, which the balancer itself answers. */
const oneHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'http2-settings',
])

/** These headers frame or address the message: `Connection` must not remove them. */
const neverDropped = new Set(['host', 'content-length'])

/**
 * Reads the flat list of `IncomingMessage.rawHeaders` once. Keeps the balancer headers if they come from a forwarding
 * balancer.
 */
export function readRequestHead(raw: string[], fromBalancer: boolean): RequestHead {
  const head: RequestHead = {
    passed: [],
    host: null,
    severalHosts: false,
    contentLength: null,
    chunked: false,
    expectsContinue: false,
    conditional: false,
    forwardedFor: null,
    forwardedBy: null,
    sentBefore: false,
    upgrade: null,
  }
  let named: Set<string> | null = null
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [raw[i] ?? '', raw[i + 1] ?? '']
    const key = name.toLowerCase()
    if (key === 'connection') named = namedByConnection(value, named)
    if (note(head, key, value, fromBalancer)) head.passed.push(name, value)
  }
  if (named) head.passed = without(head.passed, named)
  return head
}

/** Notes the relevant headers; returns false if the header is not passed on. */
function note(head: RequestHead, key: string, value: string, fromBalancer: boolean): boolean {
  switch (key) {
    case 'host':
      head.severalHosts = head.host !== null
      head.host ??= value
      return true
    case 'content-length':
      head.contentLength = Number(value)
      return true
    case 'transfer-encoding':
      head.chunked = true
      return false
    case 'expect':
      head.expectsContinue = true
      return false
    case 'upgrade':
      head.upgrade = value
      return false
    case 'if-match':
    case 'if-none-match':
    case 'if-unmodified-since':
      head.conditional = true
      return true
    case forwardedHeader:
      head.forwardedBy = value
      return false
    case sentHeader:
      head.sentBefore = fromBalancer
      return false
    case 'x-forwarded-for':
      head.forwardedFor = head.forwardedFor === null ? value : `${head.forwardedFor}, ${value}`
      return fromBalancer
    case 'forwarded':
      return fromBalancer
    default:
      if (key.startsWith('x-forwarded-')) return fromBalancer
      return !oneHop.has(key)
  }
}

/** Methods that are safe to send twice by definition (RFC 9110, 9.2.2). PUT and DELETE only without a precondition. */
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const idempotentMethods = new Set(['PUT', 'DELETE'])

/** Whether such a request can be sent again without harm, judging by its head. */
export function isRepeatable(method: string, head: RequestHead): boolean {
  return safeMethods.has(method) || (idempotentMethods.has(method) && !head.conditional)
}

/** Headers that a `Connection` value names besides the usual tokens; `null` if there are none. */
export function namedByConnection(value: string, known: Set<string> | null = null): Set<string> | null {
  const lower = value.toLowerCase()
  if (lower === 'keep-alive' || lower === 'close' || lower === 'upgrade') return known
  const names = known ?? new Set<string>()
  for (const token of lower.split(',')) {
    const name = token.trim()
    if (!neverDropped.has(name)) names.add(name)
  }
  return names
}

export function without(flat: string[], names: Set<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [flat[i] ?? '', flat[i + 1] ?? '']
    if (!names.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

/**
 * Headers with the client, the scheme and the requested host. The entry sets them once and overrides the values of a
 * client.
 */
export function forwardedHeaders(head: RequestHead, remoteAddress: string | undefined): string[] {
  const address = plainAddress(remoteAddress ?? 'unknown')
  const chain = head.forwardedFor === null ? address : `${head.forwardedFor}, ${address}`
  const host = head.host === null ? [] : ['X-Forwarded-Host', head.host]
  return ['X-Forwarded-For', chain, 'X-Forwarded-Proto', 'http', ...host]
}

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
