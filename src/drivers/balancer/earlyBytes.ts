import type { Socket } from 'node:net'

/**
 * Bytes that a client sends before its handshake is answered. They are read, up to a limit, because the end of a
 * connection is visible only after all bytes before it are read.
 */
export class EarlyBytes {
  readonly #client: Socket
  readonly #limitBytes: number
  readonly #onEnd: () => void
  #kept: Buffer[] = []
  #keptBytes = 0

  constructor(client: Socket, limitBytes: number, onEnd: () => void) {
    this.#client = client
    this.#limitBytes = limitBytes
    this.#onEnd = onEnd
    client.on('data', this.#take).once('end', onEnd)
  }

  /** Puts the bytes back: the agreed protocol reads them first. */
  putBack(): void {
    this.#leave()
    this.#client.pause()
    if (this.#keptBytes > 0) this.#client.unshift(Buffer.concat(this.#kept))
  }

  /** Drops the bytes, which have no reader: the client should read an answer, and may then close. */
  drop(): void {
    this.#leave()
    this.#client.resume()
  }

  readonly #take = (chunk: Buffer): void => {
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    if (this.#keptBytes >= this.#limitBytes) this.#client.pause()
  }

  #leave(): void {
    this.#client.off('data', this.#take).off('end', this.#onEnd)
  }
}
