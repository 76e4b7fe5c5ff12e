import type { IncomingMessage } from 'node:http'
import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Agent, request as httpRequest } from '../lib/nodeHttp.ts'

export interface Asked {
  method: string
  headers: Record<string, string>
  body?: string | AsyncIterable<Uint8Array> | undefined
  signal?: AbortSignal | undefined
}

/** An HTTP response whose body has not been read. Read it with `text`, or take it piece by piece. */
export interface Answered {
  status: number
  body: AsyncIterable<Uint8Array>
  text: () => Promise<string>
}

/** A connection that the server has handed over, with the bytes that it had already sent. */
export interface Upgraded {
  socket: Duplex
  head: Uint8Array
}

/** For `https:`. PEM; the last two only for a caller that shows its own certificate. */
export interface Trust {
  authority: string
  key?: string
  certificate?: string
}

/** Connections are kept for the next call: the agent reports every 2 s. */
const connections = { keepAlive: true, maxFreeSockets: 4 }

/**
 * The client's HTTP, on Node's own `http`: loading `fetch` costs a command 40 ms, and an agent 15 MB. When the server
 * closed a kept connection just as it was used again, the request is retried once on a new connection, where that is
 * safe.
 */
export class HttpConnections {
  #agent: InstanceType<typeof Agent> | null = null
  #trust: () => Trust | null
  #trusted: Trust | null = null
  readonly #maxSockets: number

  /** `trust` is called for each request: a renewed certificate is in use from the next new connection on. */
  constructor(trust: () => Trust | null = () => null, maxSockets = 64) {
    this.#trust = trust
    this.#maxSockets = maxSockets
  }

  async ask(url: string, asked: Asked): Promise<Answered> {
    try {
      return await this.#once(url, asked, this.#kept(url))
    } catch (error) {
      // Only a read is retried: the server may have carried out a write before the connection was lost.
      const isSafe = error instanceof StaleConnection && asked.method === 'GET'
      if (!isSafe) throw error instanceof StaleConnection ? error.cause : error
      this.#agent = null
      return this.#once(url, asked, this.#kept(url))
    }
  }

  /** Requests a connection that speaks `protocol` from then on; a plain response means that the server refused. */
  async upgrade(url: string, protocol: string, headers: Record<string, string>): Promise<Upgraded | Answered> {
    const start = url.startsWith('https:') ? process.getBuiltinModule('node:https').request : httpRequest
    const about = { ...headers, connection: 'Upgrade', upgrade: protocol }
    const sent = start(url, { agent: this.#kept(url), method: 'GET', headers: about })
    sent.setNoDelay(true)
    const { promise, resolve, reject } = Promise.withResolvers<Upgraded | Answered>()
    sent.on('upgrade', (_, socket, head) => resolve({ socket, head }))
    sent.on('response', (response) => resolve(answered(response)))
    sent.on('error', reject)
    sent.end()
    return promise
  }

  #kept(url: string): InstanceType<typeof Agent> {
    const trust = this.#trust()
    if (this.#agent && trust === this.#trusted) return this.#agent
    const options = { ...connections, maxSockets: this.#maxSockets }
    this.#trusted = trust
    this.#agent = url.startsWith('https:')
      ? new (process.getBuiltinModule('node:https').Agent)({
          ...options,
          ...(trust ? { ca: trust.authority, key: trust.key, cert: trust.certificate, minVersion: 'TLSv1.3' } : {}),
        })
      : new Agent(options)
    return this.#agent
  }

  async #once(
    url: string,
    { method, headers, body, signal }: Asked,
    agent: InstanceType<typeof Agent>,
  ): Promise<Answered> {
    const start = url.startsWith('https:') ? process.getBuiltinModule('node:https').request : httpRequest
    const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const sent = start(url, { agent, method, headers: { ...headers, ...length }, ...(signal ? { signal } : {}) })
    sent.setNoDelay(true)
    const response = Promise.withResolvers<IncomingMessage>()
    sent.on('response', response.resolve)
    sent.on('error', (error) => response.reject(sent.reusedSocket ? new StaleConnection(error) : error))
    if (body === undefined || typeof body === 'string') sent.end(body)
    else pipeline(Readable.from(body), sent).catch(response.reject)
    const answer = await response.promise
    // The server refused before everything was sent: it may stop reading, and the connection would stay open for ever.
    answer.once('end', () => {
      if (!sent.writableFinished) sent.destroy()
    })
    return answered(answer)
  }
}

function answered(response: IncomingMessage): Answered {
  return { status: response.statusCode ?? 0, body: response, text: () => readText(response) }
}

class StaleConnection extends Error {
  constructor(cause: Error) {
    super('the server closed a kept connection', { cause })
  }
}

async function readText(response: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of response) parts.push(part)
  return Buffer.concat(parts).toString()
}
