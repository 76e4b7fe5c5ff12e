import type { Socket } from 'node:net'

/**
 * What a client says before its handshake is answered. It is read, up to a limit, because the end of a connection shows only to
 * one who reads all that comes before it.
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

  /** They are the first that the protocol agreed upon reads. */
  putBack(): void {
    this.#leave()
    this.#client.pause()
    if (this.#keptBytes > 0) this.#client.unshift(Buffer.concat(this.#kept))
  }

  /** Nobody wants them: the client is to read an answer, and may then close. */
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
