import type { z } from 'zod'
import { OperatorError } from '../lib/operatorError.ts'
import { decodeServerSentEvents } from '../lib/serverSentEvents.ts'
import type { Given, OperationName, Operations, Result, StreamName, Streams } from './contract.ts'
import { basePath, dryRunSchema, type DryRun, type Operation, type StreamOperation } from './operation.ts'
import { smallOperations, smallStreams } from './smallCalls.ts'
import type { ByteChannel } from '../lib/byteChannel.ts'
import { HttpConnections, type Answered, type Trust } from './httpRequest.ts'
import { fromProblem, problemSchema } from './problem.ts'

/** The address of a controller and the credentials to talk to it. */
export interface Endpoint {
  url: string
  /** `null` for a machine, which shows its certificate instead. */
  token: string | null
  /** The cluster's authority, PEM, where the controller uses TLS; for a machine together with its own identity. */
  trust?: () => Trust | null
  /** Calls that can are dry runs: they change nothing, and throw their answer as `DryRunDone`. */
  dryRun?: boolean
}

/** The answer to a dry run, thrown in place of the result that the caller expects. */
export class DryRunDone extends Error {
  readonly answer: DryRun

  constructor(answer: DryRun) {
    super('a dry run has no result')
    this.answer = answer
  }
}

interface RawInit {
  headers?: Record<string, string>
  body?: string | AsyncIterable<Uint8Array>
  signal?: AbortSignal
}

/** Longest duration of a call: publishing verifies a whole tree, and reading waits 5 s for a position. */
const callMs = 60_000

/** Silence after which a stream is given up; the server sends a heartbeat every 5 s. */
const streamSilenceMs = 15_000

interface Input {
  params?: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
}

/** Typed calls over the contract. Throws `OperatorError`: the controller's refusal, or E_CONTROLLER_UNREACHABLE. */
export class ApiClient {
  readonly endpoint: Endpoint
  #connections: HttpConnections

  /** `atOnce`: number of requests at once; further ones wait. */
  constructor(endpoint: Endpoint, atOnce?: number) {
    this.endpoint = endpoint
    this.#connections = new HttpConnections(endpoint.trust, atOnce)
  }

  /** A client of the same controller whose requests, of any number at once, never make those of this one wait. */
  apart(): ApiClient {
    return new ApiClient(this.endpoint, Infinity)
  }

  async call<N extends OperationName>(
    name: N,
    given: Given<Operations[N]>,
    signal?: AbortSignal,
  ): Promise<Result<Operations[N]>> {
    const operation = await operationOf(name)
    const { method, path, response: schema } = operation
    const isDryRun = operation.dryRun === true && this.endpoint.dryRun === true
    const { query, ...rest } = given as Input // the mapped type above states the same, field by field
    const input: Input = { ...rest, query: isDryRun ? { ...query, dryRun: true } : query }
    const limit = AbortSignal.timeout(callMs)
    const bounded = signal ? AbortSignal.any([signal, limit]) : limit
    const overdue = (error: unknown): never => {
      throw limit.aborted && !signal?.aborted ? unreachable(this.endpoint, error) : error
    }
    if (isDryRun) await this.#mustKnowDryRun(operation, bounded).catch(overdue)
    const response = await this.raw(method, fillPath(path, input), {
      ...(input.body === undefined
        ? {}
        : { body: JSON.stringify(input.body), headers: { 'content-type': 'application/json' } }),
      signal: bounded,
    }).catch(overdue)
    const answer = await this.#json(response, signal)
    if (isDryRun) throw new DryRunDone(dryRunSchema.parse(answer))
    return schema.parse(answer) as Result<Operations[N]> // parsed by that operation's schema
  }

  /** Nothing that changes the cluster may reach a controller that would ignore `dryRun`. */
  async #mustKnowDryRun(operation: Operation, signal: AbortSignal): Promise<void> {
    const document = await this.#json(await this.raw('GET', '/openapi.json', { signal }), signal)
    const { knowsDryRun } = await import('./knowsDryRun.ts')
    if (knowsDryRun(document, operation)) return
    const { url } = this.endpoint
    throw new OperatorError('E_NO_ABILITY', `the version of the controller at ${url} has no dry run of this command`, {
      subject: url,
      next: 'tandem status   shows its version; tandem upgrade   upgrades it; nothing was changed',
    })
  }

  /** Reads the body of a success response; the connection may be lost in the middle of it. */
  async #json(response: Answered, signal: AbortSignal | undefined): Promise<unknown> {
    let text: string
    try {
      text = await response.text()
    } catch (error) {
      throw signal?.aborted ? error : unreachable(this.endpoint, error)
    }
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw notTandem(this.endpoint, response.status, cause)
    }
  }

  /** Yields the messages of a stream; ends when the server ends the stream, throws when the connection is lost. */
  async *stream<N extends StreamName>(
    name: N,
    given: Given<Streams[N]>,
    { signal, lastEventId }: { signal?: AbortSignal; lastEventId?: string } = {},
  ): AsyncIterable<{ id: string | null; data: z.output<Streams[N]['data']> }> {
    const { path, data: schema } = await streamOf(name)
    for await (const { id, data } of this.rawStream(fillPath(path, given as Input), { signal, lastEventId })) {
      yield { id, data: schema.parse(JSON.parse(data)) as z.output<Streams[N]['data']> } // by that stream's schema
    }
  }

  async *rawStream(
    path: string,
    { signal, lastEventId }: { signal?: AbortSignal | undefined; lastEventId?: string | undefined },
  ): AsyncIterable<{ id: string | null; event: string; data: string }> {
    const silence = new AbortController()
    const giveUp = (): void => silence.abort(new Error(`received nothing for ${streamSilenceMs / 1000} s`))
    let timer = setTimeout(giveUp, streamSilenceMs)
    const heard = (): void => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, streamSilenceMs)
    }
    try {
      const response = await this.raw('GET', path, {
        headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
        signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      })
      yield* decodeServerSentEvents(response.body, heard)
    } catch (error) {
      if (signal?.aborted) return
      throw error instanceof OperatorError ? error : unreachable(this.endpoint, error)
    } finally {
      clearTimeout(timer)
      silence.abort()
    }
  }

  /** Opens one end of the byte channel that waits under this path. */
  async channel(path: string): Promise<ByteChannel> {
    const { ByteChannel, channelProtocol } = await import('../lib/byteChannel.ts')
    let answer: Awaited<ReturnType<HttpConnections['upgrade']>>
    try {
      answer = await this.#connections.upgrade(this.#url(path), channelProtocol, this.#authorization())
    } catch (error) {
      throw unreachable(this.endpoint, error)
    }
    if ('socket' in answer) return new ByteChannel(answer.socket, answer.head)
    throw await problemOf(answer, this.endpoint)
  }

  /** Sends a request with the token; an error body becomes an `OperatorError`. */
  async raw(method: string, path: string, init: RawInit = {}): Promise<Answered> {
    let response: Answered
    try {
      const headers = { ...this.#authorization(), ...init.headers }
      response = await this.#connections.ask(this.#url(path), { ...init, method, headers })
    } catch (error) {
      if (init.signal?.aborted) throw error
      throw unreachable(this.endpoint, error)
    }
    if (response.status >= 200 && response.status < 300) return response
    throw await problemOf(response, this.endpoint)
  }

  #url(path: string): string {
    return `${this.endpoint.url.replace(/\/$/, '')}${basePath}${path}`
  }

  #authorization(): Record<string, string> {
    const { token } = this.endpoint
    return token === null ? {} : { authorization: `Bearer ${token}` }
  }
}

const small: Record<string, Operation> = smallOperations
const streaming: Record<string, StreamOperation> = smallStreams

const operationOf = async (name: OperationName): Promise<Operation> =>
  small[name] ?? (await import('./contract.ts')).operations[name]

const streamOf = async (name: StreamName): Promise<StreamOperation> =>
  streaming[name] ?? (await import('./contract.ts')).streams[name]

async function problemOf(response: Answered, endpoint: Endpoint): Promise<OperatorError> {
  try {
    return fromProblem(problemSchema.parse(JSON.parse(await response.text())))
  } catch (cause) {
    return notTandem(endpoint, response.status, cause)
  }
}

function notTandem({ url }: Endpoint, status: number, cause: unknown): OperatorError {
  const message = `${url} answered ${status}, but not as a Tandem controller does`
  return new OperatorError('E_CONTROLLER_UNREACHABLE', message, {
    subject: url,
    next: 'check the address: tandem context list',
    cause,
  })
}

export function unreachable({ url }: Endpoint, cause: unknown): OperatorError {
  const why = cause instanceof Error ? cause.message : String(cause)
  if (isDistrust(cause)) {
    const message = `the controller at ${url} shows a certificate that this computer does not trust (${why})`
    return new OperatorError('E_CONTROLLER_UNREACHABLE', message, { subject: url, next: trustNext, cause })
  }
  return new OperatorError('E_CONTROLLER_UNREACHABLE', `the controller at ${url} does not answer (${why})`, {
    subject: url,
    next: 'check that the controller runs (services keep running without it); on a laptop: tandem up; another cluster: --context NAME',
    cause,
  })
}

const trustNext =
  'tandem context add NAME --url URL --pin SHA256   trusts the certificate by its fingerprint; tandem context show --invite, where a context works, prints the whole line'

/** Error codes of OpenSSL about a certificate (X509_V_ERR_…), and of Node about the name in it. */
const isDistrust = (cause: unknown): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  /CERT|^UNABLE_TO_VERIFY|^INVALID_CA$|^PATH_LENGTH_EXCEEDED$/.test(String(cause.code))

function fillPath(path: string, { params = {}, query = {} }: Input): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ''))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
  const text = search.toString()
  return text ? `${filled}?${text}` : filled
}
