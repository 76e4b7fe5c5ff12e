import { once } from 'node:events'
import type { CliHost, TextStream } from './host.ts'
import { paintFor, withColours, type Paint } from './paint.ts'
import { visible, visibleJson } from './visible.ts'

/** A terminal that does not know its width, or is narrower, gets plain lines. */
const leastColumns = 40

/** What a command says: results on stdout, everything else on stderr. */
export class Output {
  readonly json: boolean
  readonly paint: Paint
  readonly paintNote: Paint
  /** True where lines on stderr may be drawn over. */
  readonly live: boolean
  readonly #stdout: TextStream
  readonly #stderr: TextStream

  constructor({ stdout, stderr, env }: Pick<CliHost, 'stdout' | 'stderr' | 'env'>, json: boolean) {
    this.json = json
    this.#stdout = stdout
    this.#stderr = stderr
    this.paint = paintFor(stdout, env)
    this.paintNote = paintFor(stderr, env)
    this.live = !json && stderr.isTTY === true && env['TERM'] !== 'dumb' && (stderr.columns ?? 0) >= leastColumns
  }

  get stderr(): TextStream {
    return this.#stderr
  }

  /** A line for people; nothing when JSON was asked for. */
  line(text: string): void {
    if (!this.json) this.#stdout.write(`${shownOn(this.#stdout, text)}\n`)
  }

  /** An object for programs, on one line; nothing unless JSON was asked for. */
  object(value: unknown): void {
    if (!this.json) return
    const json = JSON.stringify(value)
    this.#stdout.write(`${this.#stdout.isTTY === true ? visibleJson(json) : json}\n`)
  }

  /** The same result for both. */
  result(value: unknown, text: () => string): void {
    if (this.json) this.object(value)
    else this.line(text())
  }

  /** A line on stderr. */
  note(text: string): void {
    this.#stderr.write(`${this.shownNote(text)}\n`)
  }

  /** Text for stderr as it will be there, for whoever draws it by other means. */
  shownNote(text: string): string {
    return shownOn(this.#stderr, text)
  }

  warn(text: string): void {
    this.note(`${this.paintNote('yellow', 'warning:')} ${text}`)
  }

  /** Bytes as they are, on a terminal too: a program's that the user runs. */
  raw(stream: 'out' | 'err', chunk: Uint8Array | string): void {
    const target = stream === 'out' ? this.#stdout : this.#stderr
    target.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk))
  }

  /** Waits until that stream takes more: a slow reader holds its sender back, not our memory. */
  async room(stream: 'out' | 'err' = 'out'): Promise<void> {
    const target = stream === 'out' || this.json ? this.#stdout : this.#stderr
    const { writableNeedDrain, destroyed } = target as TextStream & Partial<NodeJS.WriteStream> // a test's has none
    if (writableNeedDrain === true && destroyed !== true) await once(target, 'drain')
  }
}

/** The one place where text meets a terminal. A pipe gets it as it is. */
const shownOn = (stream: TextStream, text: string): string =>
  stream.isTTY === true ? withColours(visible(text)) : text
