import { once } from 'node:events'
import type { CliHost, TextStream } from './host.ts'
import { Screen } from './screen.ts'
import { paintFor, withColours, type Paint } from './paint.ts'
import { visible, visibleJson } from './visible.ts'

/** A terminal that is narrower, or does not report its width, gets plain lines. */
const leastColumns = 40

/** Output of a command: results on stdout, everything else on stderr. */
export class Output {
  readonly json: boolean
  readonly paint: Paint
  readonly paintNote: Paint
  /** True if lines on stderr may be redrawn. */
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

  /** Prints a line for people. With --json, prints nothing. */
  line(text: string): void {
    if (!this.json) this.#stdout.write(`${shownOn(this.#stdout, text)}\n`)
  }

  /** Prints an object for programs, on one line. Without --json, prints nothing. */
  object(value: unknown): void {
    if (!this.json) return
    const json = JSON.stringify(value)
    this.#stdout.write(`${this.#stdout.isTTY === true ? visibleJson(json) : json}\n`)
  }

  /** Prints a result: `value` with --json, else `text`. */
  result(value: unknown, text: () => string): void {
    if (this.json) this.object(value)
    else this.line(text())
  }

  /** Prints a line on stderr. */
  note(text: string): void {
    this.#stderr.write(`${this.shownNote(text)}\n`)
  }

  /** Text as `note` would print it, for callers that draw on stderr themselves. */
  shownNote(text: string): string {
    return shownOn(this.#stderr, text)
  }

  warn(text: string): void {
    this.note(`${this.paintNote('yellow', 'warning:')} ${text}`)
  }

  /** Text as `line` would print it, for callers that draw on stdout themselves. */
  shown(text: string): string {
    return shownOn(this.#stdout, text)
  }

  /** The whole terminal to draw on; `null`: stdout is none, or cannot do it. */
  screen(): Screen | null {
    const { live } = this
    return live && this.#stdout.isTTY === true ? new Screen(this.#stdout) : null
  }

  /** Writes bytes unchanged, also to a terminal: they are the output of a program that the user runs. */
  raw(stream: 'out' | 'err', chunk: Uint8Array | string): void {
    const target = stream === 'out' ? this.#stdout : this.#stderr
    target.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk))
  }

  /** Waits until the stream accepts more, so that a slow reader slows the sender down and does not fill our memory. */
  async room(stream: 'out' | 'err' = 'out'): Promise<void> {
    const target = stream === 'out' || this.json ? this.#stdout : this.#stderr
    // A test's stream has neither field.
    const { writableNeedDrain, destroyed } = target as TextStream & Partial<NodeJS.WriteStream>
    if (writableNeedDrain === true && destroyed !== true) await once(target, 'drain')
  }
}

/** The only place that prepares text for a terminal. A pipe gets the text unchanged. */
const shownOn = (stream: TextStream, text: string): string =>
  stream.isTTY === true ? withColours(visible(text)) : text
