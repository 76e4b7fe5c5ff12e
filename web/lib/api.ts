import type { Given, Operations, Result } from '../../src/api/contract.ts'
import type { DryRun } from '../../src/api/operation.ts'
import type { Problem } from '../../src/api/problem.ts'
import { calls, type CallName, type ChangeName } from './calls.ts'
import { eventsIn } from './eventStream.ts'
import { openStream, request, type RequestOptions } from './request.ts'

/** The longest that a call may take. */
const callMs = 60_000

/** The controller refused a call: its words and the next step. */
export class Refused extends Error {
  readonly code: string
  readonly status: number
  readonly next: string | null

  constructor({ detail, code, status, next }: Problem) {
    super(detail)
    this.code = code
    this.status = status
    this.next = next
  }
}

/** The controller did not answer. */
export class Unreachable extends Error {}

export interface Input {
  params?: Record<string, string>
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
}

/** Calls of the controller with the key of a session, or the secret of a link. */
export class Api {
  readonly #key: string
  readonly #onEnded: () => void

  /** `onEnded`: the controller does not know the session any more. */
  constructor(key: string, onEnded: () => void) {
    this.#key = key
    this.#onEnded = onEnded
  }

  /** Throws `Refused` with the controller's reason, or `Unreachable`. */
  async call<N extends CallName>(
    name: N,
    given: Given<Operations[N]>,
    signal?: AbortSignal,
  ): Promise<Result<Operations[N]>> {
    const input = given as Input // the type above says the same, field by field
    return (await this.#send(name, input, signal)) as Result<Operations[N]> // the controller's answer has this schema
  }

  /** Decides a call without doing it: answers with what it would do, or throws as `call` does. */
  async rehearse<N extends ChangeName>(name: N, given: Given<Operations[N]>, signal?: AbortSignal): Promise<DryRun> {
    const input = given as Input // likewise
    const dryRun = { ...input, query: { ...input.query, dryRun: true } }
    return (await this.#send(name, dryRun, signal)) as DryRun // every call that can be a dry run answers so
  }

  async #send(name: CallName, input: Input, signal?: AbortSignal): Promise<unknown> {
    const [method = '', path = ''] = calls[name].split(' ')
    const limit = AbortSignal.timeout(callMs)
    const response = await this.raw(method, fillPath(path, input), {
      ...(input.body === undefined
        ? {}
        : { body: JSON.stringify(input.body), headers: { 'content-type': 'application/json' } }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    })
    return response.json()
  }

  /**
   * The data of each message of a stream, parsed. Ends when the controller ends it, throws when it breaks. `opened`: the
   * stream has been asked for already.
   */
  async *stream<T>(path: string, signal: AbortSignal, opened = openStream(this.#key, path, signal)): AsyncIterable<T> {
    const { body } = await this.accepted(opened, signal)
    if (body === null) throw new Unreachable('the stream has no body')
    for await (const data of eventsIn(body)) yield JSON.parse(data) as T // the contract names the type of each stream
  }

  /** One request below the API's path; the body of its answer has not been read. */
  raw(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    return this.accepted(request(this.#key, method, path, options), options.signal)
  }

  /** The answer to a request; throws `Refused` with the controller's reason, or `Unreachable`. */
  async accepted(sent: Promise<Response>, signal?: AbortSignal | null): Promise<Response> {
    let response: Response
    try {
      response = await sent
    } catch (cause) {
      if (signal?.aborted && !isTimeout(signal.reason)) throw cause
      throw new Unreachable('the controller does not answer', { cause })
    }
    if (response.ok) return response
    const problem = await problemOf(response)
    if (response.status === 401) this.#onEnded()
    throw new Refused(problem)
  }
}

const isTimeout = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'TimeoutError'

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem // every refusal of the controller is one
  } catch (cause) {
    throw new Unreachable(`the answer is not one of Tandem's (status ${response.status})`, { cause })
  }
}

export function fillPath(path: string, { params = {}, query = {} }: Input): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? filled : `${filled}?${text}`
}
