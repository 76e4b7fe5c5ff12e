import { endAtSilence } from '../lib/silence.ts'
import { unreachable, type ApiClient } from './client.ts'

const framesContentType = 'application/vnd.tandem.objects'

/** A transfer of which nothing comes for this long is given up. */
const silenceMs = 30_000

/** The controller's release store, over the API: publishing to it and fetching from it. */
export class ObjectsClient {
  #client: ApiClient

  constructor(client: ApiClient) {
    this.#client = client
  }

  /** Those of the keys that the store lacks. */
  async missing<K extends string>(keys: readonly K[]): Promise<K[]> {
    const { missing } = await this.#client.call('missingObjects', { body: { keys: [...keys] } })
    const lacks = new Set(missing)
    return keys.filter((key) => lacks.has(key))
  }

  /** Uploads objects as the frames that the releases room writes. */
  async put(frames: AsyncIterable<Uint8Array>): Promise<void> {
    const response = await this.#client.raw('POST', '/objects', {
      body: frames,
      headers: { 'content-type': framesContentType },
    })
    await response.text().catch((error: unknown) => {
      throw unreachable(this.#client.endpoint, error)
    })
  }

  /** Publishes a manifest whose objects are all there. */
  async commit(manifest: Uint8Array): Promise<{ id: string }> {
    const { release } = await this.#client.call('publishRelease', {
      body: { manifest: Buffer.from(manifest).toString() },
    })
    return { id: release }
  }

  async *fetch(keys: readonly string[], { signal }: { signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    const response = await this.#client.raw('POST', '/objects/fetch', {
      body: JSON.stringify({ keys }),
      headers: { 'content-type': 'application/json' },
      ...(signal ? { signal } : {}),
    })
    try {
      yield* endAtSilence(response.body, silenceMs)
    } catch (cause) {
      signal?.throwIfAborted()
      throw new Error('the transfer broke off before its end', { cause })
    }
  }
}
