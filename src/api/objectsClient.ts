import { systemClock } from '../lib/clock.ts'
import { endAtSilence } from '../lib/silence.ts'
import { unreachable, type ApiClient } from './client.ts'
import type { Answered } from './httpRequest.ts'
import type { ReleaseSource } from './views.ts'
import { OperatorError } from '../lib/operatorError.ts'

const framesContentType = 'application/vnd.tandem.objects'

interface Options {
  silenceMs: number
  source: ReleaseSource | null
}

/** The controller's release store, over the API: publishing to it and fetching from it. */
export class ObjectsClient {
  #client: ApiClient
  #silenceMs: number
  #source: ReleaseSource | null

  /** A transfer is given up when no bytes arrive for `silenceMs`. `source`: the commit that releases come from. */
  constructor(client: ApiClient, { silenceMs = 30_000, source = null }: Partial<Options> = {}) {
    this.#client = client
    this.#silenceMs = silenceMs
    this.#source = source
  }

  /** The keys that the store lacks. */
  async missing<K extends string>(keys: readonly K[]): Promise<K[]> {
    const { missing } = await this.#client.call('missingObjects', { body: { keys: [...keys] } })
    const lacks = new Set(missing)
    return keys.filter((key) => lacks.has(key))
  }

  /** Uploads objects in the frame format of the release store. */
  async put(frames: AsyncIterable<Uint8Array>): Promise<void> {
    const response = await this.#client.raw('POST', '/objects', {
      body: frames,
      headers: { 'content-type': framesContentType },
    })
    await response.text().catch((error: unknown) => {
      throw unreachable(this.#client.endpoint, error)
    })
  }

  /** Publishes a manifest whose objects are all in the store. */
  async commit(manifest: Uint8Array): Promise<{ id: string }> {
    const body = { manifest: Buffer.from(manifest).toString() }
    const publish = (source: ReleaseSource | null): Promise<{ release: string }> =>
      this.#client.call('publishRelease', { body: source === null ? body : { ...body, source } })
    const { release } = await publish(this.#source).catch((error: unknown) => {
      // An older controller takes no source; the release is the same without it.
      const isOlder = error instanceof OperatorError && error.code === 'E_USAGE' && error.subject === 'source'
      if (this.#source === null || !isOlder) throw error
      return publish(null)
    })
    return { id: release }
  }

  async *fetch(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    const response = await this.#ask(keys, signal)
    try {
      yield* endAtSilence(response.body, this.#silenceMs, systemClock)
    } catch (cause) {
      signal?.throwIfAborted()
      throw new OperatorError('E_CONTROLLER_UNREACHABLE', 'the transfer broke off before its end', { cause })
    }
  }

  async #ask(keys: readonly string[], signal: AbortSignal | undefined): Promise<Answered> {
    const silence = new AbortController()
    const giveUp = (): void => silence.abort(new Error(`no data arrived for ${this.#silenceMs / 1000} s`))
    const timer = setTimeout(giveUp, this.#silenceMs)
    try {
      return await this.#client.raw('POST', '/objects/fetch', {
        body: JSON.stringify({ keys }),
        headers: { 'content-type': 'application/json' },
        signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      })
    } catch (error) {
      throw silence.signal.aborted ? unreachable(this.#client.endpoint, silence.signal.reason) : error
    } finally {
      clearTimeout(timer)
    }
  }
}
