import type { ServerResponse } from 'node:http'
import { sentBefore, unprocessedHeader } from './forwarding.ts'
import { namedByConnection, without } from './requestHead.ts'

export interface ResponseHead {
  /** Flat name, value: the headers that are passed on to the client. */
  passed: string[]
  /**
   * A peer returns the work: no part of the request has reached an instance (`untouched`), or some part has (`sent`).
   */
  unprocessed: 'no' | 'untouched' | 'sent'
  eventStream: boolean
  hasLength: boolean
  hasTrailer: boolean
  /** A `Content-Disposition` with bytes beyond ASCII, such as a file name. */
  hasRawDisposition: boolean
  upgrade: string | null
  /** A transfer coding that undici does not decode; the balancer requested none, because `TE` stays on its hop. */
  coding: string | null
}

const oneHop = new Set(['keep-alive', 'proxy-connection', 'te'])

/** All other headers are only passed on. Each answer has many headers, so one lookup must suffice. */
const noted = new Set([
  ...[...oneHop, unprocessedHeader, 'upgrade', 'transfer-encoding'],
  ...['content-type', 'content-length', 'content-disposition', 'trailer'],
])

/** Reads undici's raw response headers. Only a peer may report that no instance processed the request. */
export function readResponseHead(raw: readonly (Buffer | string)[], fromPeer: boolean): ResponseHead {
  const head: ResponseHead = {
    passed: [],
    unprocessed: 'no',
    eventStream: false,
    hasLength: false,
    hasTrailer: false,
    hasRawDisposition: false,
    upgrade: null,
    coding: null,
  }
  let named: Set<string> | null = null
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [latin1(raw[i]), latin1(raw[i + 1])]
    const key = name.toLowerCase()
    if (key === 'connection') named = namedByConnection(value, named)
    else if (!noted.has(key) || note(head, key, value, fromPeer)) head.passed.push(name, value)
  }
  if (named) head.passed = without(head.passed, named)
  return head
}

/** Notes the relevant headers; returns false if the header is not passed on. */
function note(head: ResponseHead, key: string, value: string, fromPeer: boolean): boolean {
  switch (key) {
    case 'content-type':
      head.eventStream = value.startsWith('text/event-stream')
      return true
    case 'content-length':
      head.hasLength = true
      return true
    case 'content-disposition':
      head.hasRawDisposition = /[\x80-\xff]/.test(value)
      return true
    case 'trailer':
      head.hasTrailer = true
      return true
    case unprocessedHeader:
      if (fromPeer) head.unprocessed = value === sentBefore ? 'sent' : 'untouched'
      return false
    case 'upgrade':
      head.upgrade = value
      return false
    case 'transfer-encoding':
      if (!/^(chunked|identity)$/i.test(value)) head.coding = value
      return false
    default:
      return !oneHop.has(key)
  }
}

/** Writes the head of an instance in a form that Node accepts and passes on byte for byte. */
export function writeAnswerHead(response: ServerResponse, status: number, reason: string, head: ResponseHead): void {
  let { passed } = head
  // Node throws at this field, which is only a notice, where no trailers can follow.
  if (head.hasTrailer && !willBeChunked(response, status, head)) passed = without(passed, new Set(['trailer']))
  // Once Node knows the length, it reads this field as UTF-8, and fails.
  if (head.hasLength && head.hasRawDisposition) passed = lastly('content-length', passed)
  // RFC 9110, 15.5.22: a 426 names the protocol that it requires. In other answers the field is an offer of this hop.
  if (status === 426 && head.upgrade !== null) passed = passed.concat(upgradeOffer(head.upgrade, response))
  response.writeHead(status, /[^\t\x20-\x7e\x80-\xff]/.test(reason) ? '' : reason, passed)
}

function willBeChunked(response: ServerResponse, status: number, head: ResponseHead): boolean {
  const bodiless = response.req.method === 'HEAD' || status === 204 || status === 304
  return response.useChunkedEncodingByDefault && !head.hasLength && !bodiless
}

/** Node takes a `Connection` value set here as the complete value. */
function upgradeOffer(upgrade: string, response: ServerResponse): string[] {
  return ['Connection', response.shouldKeepAlive ? 'upgrade' : 'close, upgrade', 'Upgrade', upgrade]
}

function lastly(name: string, flat: string[]): string[] {
  const moved = flat.flatMap((text, index) =>
    index % 2 === 0 && text.toLowerCase() === name ? [text, flat[index + 1] ?? ''] : [],
  )
  return without(flat, new Set([name])).concat(moved)
}

/** The head of a message without a `ServerResponse` to write it; send it as latin1. */
export function headText(status: number, reason: string, flat: string[]): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`]
  for (let i = 0; i + 1 < flat.length; i += 2) lines.push(`${flat[i]}: ${flat[i + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Trailers in the form that Node accepts. */
export function pairs(flat: readonly (Buffer | string)[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([latin1(flat[i]), latin1(flat[i + 1])])
  return list
}

function latin1(text: Buffer | string | undefined): string {
  return typeof text === 'string' ? text : (text?.toString('latin1') ?? '')
}
