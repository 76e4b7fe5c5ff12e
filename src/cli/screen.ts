import type { TextStream } from './host.ts'

/** Sequences of ECMA-48 and of xterm: the other screen, the cursor, and whether long lines go on in the next one. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

/** A terminal of which a command uses the whole screen. Its former content comes back at the end. */
export class Screen {
  readonly #stream: TextStream & { rows?: number }

  constructor(stream: TextStream) {
    this.#stream = stream
    this.enter()
  }

  enter(): void {
    this.#stream.write(enter)
  }

  /** Shows these lines, prepared for a terminal. Says how many have no room. */
  draw(lines: readonly string[]): void {
    const rows = this.#stream.rows ?? 24
    const shown =
      lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`]
    this.#stream.write(`${home}${shown.map((line) => `${line}${clearLine}`).join('\r\n')}${clearBelow}`)
  }

  leave(): void {
    this.#stream.write(leave)
  }
}
