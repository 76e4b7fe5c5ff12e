import type { ServerResponse } from 'node:http'
import { sentBefore, unprocessedHeader } from './forwarding.ts'

/** A plain answer from the balancer itself. */
export interface Page {
  status: number
  text: string
  headers?: Record<string, string>
}

const retryAfterSeconds = '1'

export function noRoute(host: string): Page {
  return {
    status: 404,
    text: `404 Not found: no service has a route for this host (${host}) and path.\nTo list the routes: tandem status\n`,
  }
}

/** No plan was applied yet. A 404 now could remove an existing page from a search index or a cache. */
export function notPlanned(): Page {
  return {
    status: 503,
    text: '503 Service unavailable: this machine has just started and does not know its routes yet.\nNext: try again in a moment; if this lasts: tandem machines\n',
    headers: { 'retry-after': retryAfterSeconds },
  }
}

export function noInstance(service: string, heldMs: number | null): Page {
  const waited = heldMs === null ? '' : ` The request was held for ${heldMs} ms, and no instance became ready.`
  return {
    status: 503,
    text: `503 Service unavailable: service ${service} has no healthy instance.${waited}\nNext: tandem status ${service}\n`,
    headers: { 'retry-after': retryAfterSeconds },
  }
}

export function tooManyHeld(service: string): Page {
  return {
    status: 503,
    text: `503 Service unavailable: service ${service} has no healthy instance, and as many requests as allowed wait for an instance.\nNext: tandem status ${service}\n`,
    headers: { 'retry-after': retryAfterSeconds },
  }
}

/** `sent`: an instance here has received part of the request, and gave no answer. */
export function unprocessed(service: string, sent = false): Page {
  const processed = sent ? 'an instance ended the connection before it answered' : 'no instance received the request'
  return {
    status: 503,
    text: `503 Service unavailable: no instance of ${service} takes work on this machine; ${processed}.\n`,
    headers: { [unprocessedHeader]: sent ? sentBefore : '1', 'retry-after': retryAfterSeconds },
  }
}

export function brokenOff(service: string, reason: string, sentTwice = false): Page {
  const [who, sent] = sentTwice
    ? [
        'two instances',
        'The request was sent to both and may have been processed, so it was not sent to another instance.',
      ]
    : ['an instance', 'The request was sent and may have been processed, so it was not sent again.']
  return {
    status: 502,
    text: `502 Bad gateway: ${who} of service ${service} ended the connection before an answer came (${reason}). ${sent}\nNext: tandem status ${service}; tandem logs ${service}\n`,
  }
}

/** The instance is being stopped, and its time to finish (`rollout.drain`) has ended. */
export function outOfTime(service: string): Page {
  return {
    status: 502,
    text: `502 Bad gateway: the request took longer than service ${service} gives an instance to finish its work (rollout.drain), and the instance was stopped. The request was sent and may have been processed, so it was not sent again.\nNext: tandem rollouts ${service}; if the request needs the time, raise rollout.drain in the definition\n`,
  }
}

export function badRequest(why: string): Page {
  return { status: 400, text: `400 Bad request: ${why}.\n` }
}

export function tooLarge(limitBytes: number): Page {
  return { status: 413, text: `413 Content too large: the body exceeds the limit of ${limitBytes} bytes.\n` }
}

export function notForwarded(): Page {
  return {
    status: 403,
    text: '403 Forbidden: this port accepts only work forwarded by the balancer of another machine.\n',
  }
}

export function notAProxy(): Page {
  return {
    status: 405,
    text: '405 Method not allowed: this balancer does not serve CONNECT.\n',
    headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  }
}

export function headersTooLarge(): Page {
  return { status: 431, text: '431 Request header fields too large.\n' }
}

export function headersTooLate(): Page {
  return { status: 408, text: '408 Request timeout: the headers were not complete in time.\n' }
}

export function send(response: ServerResponse, page: Page): void {
  // Sets the reason phrase: otherwise Node would keep a phrase that it rejected before.
  response.writeHead(page.status, phraseOf(page), pageHeaders(page))
  response.end(page.text, 'utf8')
}

/** The whole message, for a socket that has no `ServerResponse` (any more). The connection ends with this message. */
export function rawPage(page: Page): string {
  const headers = Object.entries({ ...pageHeaders(page), connection: 'close' })
  return [
    `HTTP/1.1 ${page.status} ${phraseOf(page)}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    page.text,
  ].join('\r\n')
}

const phraseOf = ({ text }: Page): string => text.slice(4, text.search(/[:.\n]/))

function pageHeaders(page: Page): Record<string, string> {
  return {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(page.text)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...page.headers,
  }
}
