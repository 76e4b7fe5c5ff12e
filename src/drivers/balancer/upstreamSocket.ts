import { Socket } from 'node:net'
import { AnswerStart, type AnswerStartEvents } from './answerStart.ts'

/** A connection to an instance or a peer, as undici reads from it and writes to it. */
export class UpstreamSocket extends Socket {
  #start: AnswerStart | null = null
  #hasBody = false
  #dropsBody = false

  constructor() {
    super({ allowHalfOpen: true })
  }

  /** A request is about to be written: the next bytes read are the start of its answer. */
  expectAnswer(events: AnswerStartEvents, hasBody: boolean): void {
    this.#start = new AnswerStart(events)
    this.#hasBody = hasBody
  }

  /** The reason phrase of the answer whose head has just been read: its bytes as latin1, if it is not ASCII. */
  get reason(): string | null {
    return this.#start?.reason ?? null
  }

  override read(size?: number): Buffer | null {
    for (;;) {
      const chunk = super.read(size) as Buffer | null // no encoding is set
      if (chunk === null || this.#start === null || this.#start.over) return chunk
      const rest = this.#start.take(chunk)
      if (rest.length > 0) return rest
    }
  }

  /**
   * An instance may answer before it has read the whole body, and close (RFC 9112, 9.3: an early 401). Writing then
   * fails while the answer still waits to be read, and Node would drop the answer with the connection. So the rest of
   * the body is dropped instead. Reading continues to the end of the answer, or to the reset that ends the connection
   * if there is no answer.
   */
  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#hasBody) return super._write(chunk, encoding, done)
    if (this.#dropsBody) return done()
    super._write(chunk, encoding, (error) => this.#written(error, done))
  }

  override _writev(
    chunks: { chunk: Buffer | string; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    if (!this.#hasBody) return super._writev?.(chunks, done)
    if (this.#dropsBody) return done()
    super._writev?.(chunks, (error) => this.#written(error, done))
  }

  #written(error: Error | null | undefined, done: (error?: Error | null) => void): void {
    if (error && this.destroyed) return done(error)
    if (error) this.#dropsBody = true
    done()
  }
}
