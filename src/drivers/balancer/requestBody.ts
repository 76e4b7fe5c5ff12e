import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/**
 * The body of one request on its way to one upstream after another. The bytes read so far are kept, up to
 * `replayBytes`, so that the next attempt can begin from the start. No byte is read before an upstream requests it, and
 * the upstream sets the pace for the client.
 */
export class RequestBody {
  readonly #request: IncomingMessage
  readonly #replayBytes: number
  readonly #limitBytes: number | null
  readonly #onTooLarge: () => void
  #kept: Buffer[] | null = []
  #keptBytes = 0
  #readBytes = 0
  #source: Source | null = null
  #windowed = false
  #listening = false
  #ended = false

  constructor(
    request: IncomingMessage,
    options: { replayBytes: number; limitBytes: number | null; onTooLarge: () => void },
  ) {
    this.#request = request
    this.#replayBytes = options.replayBytes
    this.#limitBytes = options.limitBytes
    this.#onTooLarge = options.onTooLarge
  }

  /** All bytes read so far can be read again. */
  get replayable(): boolean {
    return this.#kept !== null
  }

  /** The body from its start. `windowed`: at most about `replayBytes` of the body before `accepted` is called. */
  open(windowed: boolean): Readable {
    this.#windowed = windowed
    const source = new Source(this)
    this.#source = source
    for (const chunk of this.#kept ?? []) source.push(chunk)
    if (this.#ended) source.push(null)
    return source
  }

  /** A peer has accepted the work: the rest may flow. */
  accepted(): void {
    if (!this.#windowed) return
    this.#windowed = false
    if (this.#source && !this.#ended) this.pull()
    this.#trim()
  }

  /** The upstream requests more bytes. */
  pull(): void {
    if (this.#ended || (this.#windowed && this.#keptBytes >= this.#replayBytes)) return
    if (!this.#listening) this.#listen()
    this.#request.resume()
  }

  /** The upstream is done with this source, whatever the reason. */
  closed(source: Source): void {
    if (this.#source !== source) return
    this.#source = null
    if (!this.#ended) this.#request.pause()
  }

  /** No upstream will read the rest. */
  discard(): void {
    this.#source = null
    this.#kept = null
    this.#request.resume()
  }

  #listen(): void {
    this.#listening = true
    this.#request.pause()
    this.#request.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#request.once('end', () => {
      this.#ended = true
      this.#source?.push(null)
    })
  }

  #take(chunk: Buffer): void {
    this.#readBytes += chunk.length
    const source = this.#source
    if (!source) return
    if (this.#limitBytes !== null && this.#readBytes > this.#limitBytes) return this.#onTooLarge()
    if (this.#kept) {
      this.#kept.push(chunk)
      this.#keptBytes += chunk.length
      this.#trim()
    }
    const full = this.#windowed && this.#keptBytes >= this.#replayBytes
    if (!source.push(chunk) || full) this.#request.pause()
  }

  /** Drops the kept bytes if there are too many; never before a peer has accepted the work. */
  #trim(): void {
    if (this.#windowed || this.#keptBytes <= this.#replayBytes) return
    this.#kept = null
    this.#keptBytes = 0
  }
}

class Source extends Readable {
  readonly #body: RequestBody

  constructor(body: RequestBody) {
    super({ highWaterMark: 64 * 1024 })
    this.#body = body
  }

  override _read(): void {
    this.#body.pull()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#body.closed(this)
    done(error)
  }
}
