import { OperatorError } from '../lib/operatorError.ts'
import type { CliHost, TextStream } from './host.ts'

type Streams = Pick<CliHost, 'stdout' | 'stderr'>

/**
 * Watches the streams that a command writes to. The command goes on without a reader of standard error, which carries
 * only progress and messages. Standard output carries the result:
 *   - A command that only shows ends when the reader has gone, as in `tandem events | head`, and when the disk is full.
 *   - A command that changes something goes on, since its exit code tells the result too.
 */
export class LostOutput {
  readonly #host: Streams
  readonly #end: (failure: OperatorError | null) => void
  #goesOn = false
  #failure: OperatorError | null = null

  /** `end` ends the process at once; `null`: nobody reads any more, which is no failure. */
  constructor(host: Streams, end: (failure: OperatorError | null) => void) {
    this.#host = host
    this.#end = end
    // Both stay until the process ends: a stream reports the fault of the last write after the command has ended.
    host.stderr.on('error', () => {})
    host.stdout.on('error', (error: NodeJS.ErrnoException) => this.#failed(error))
  }

  /** The command changes something: only its end decides about the exit code. */
  goOn(): void {
    this.#goesOn = true
  }

  /** Waits until everything is written. Throws if the result could not be written. */
  async written(): Promise<void> {
    await drained(this.#host.stdout)
    if (this.#failure) throw this.#failure
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') {
      this.#failure ??= new OperatorError('E_ENVIRONMENT', `cannot write to standard output: ${error.message}`, {
        subject: 'standard output',
        next: 'df -h   shows whether the disk is full',
        cause: error,
      })
    }
    if (!this.#goesOn) this.#end(this.#failure)
  }
}

/** Resolves when the stream has written everything so far, or has failed to, and its `error` event is over. */
const drained = (stream: TextStream): Promise<void> =>
  new Promise((done) => void stream.write('', () => void setImmediate(done)))
