import type { Live } from '../src/api/overview.ts'
import { following } from '../src/lib/following.ts'
import { eventsIn } from '../web/lib/eventStream.ts'

/** Reads the live stream as the page does, and keeps its model. */
export class LiveReader {
  messages = 0
  model: object | null = null
  readonly #stop = new AbortController()
  readonly #over: Promise<void>

  /** `key`: of a session. */
  constructor(url: string, key: string) {
    this.#over = this.#read(url, key)
    this.#over.catch(() => {}) // `close` says so
  }

  /** Rejects if the stream broke before. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#over
  }

  async #read(url: string, key: string): Promise<void> {
    const { signal } = this.#stop
    const headers = { authorization: `Bearer ${key}` }
    try {
      const who = await fetch(`${url}/api/v1/session`, { headers, signal })
      await who.json()
      const { body, status } = await fetch(`${url}/api/v1/live`, { headers, signal })
      if (body === null || status !== 200) throw new Error(`the stream was answered with ${status}`)
      for await (const data of eventsIn(body as ReadableStream<Uint8Array>)) this.#take(JSON.parse(data) as Live) // by the contract
      throw new Error('the controller ended the stream')
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #take(message: Live): void {
    this.messages++
    if (message.kind === 'whole') this.model = message.overview
    if (message.kind === 'change') this.model = following(this.model ?? {}, message.change)
  }
}
