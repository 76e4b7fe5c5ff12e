import type { Problem } from './problem.ts'

/** Number of characters of a very long line that are shown around the column. */
const shownLineLength = 160

/** A file's text, which can find the line of an offset. */
export class SourceText {
  readonly file: string
  readonly text: string
  readonly #lineStarts: number[]

  constructor(text: string, file: string) {
    this.file = file
    this.text = text
    this.#lineStarts = [0]
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1)
  }

  /** The line of an offset, from 1. */
  lineAt(offset: number): number {
    let [low, high] = [0, this.#lineStarts.length]
    while (low + 1 < high) {
      const middle = (low + high) >>> 1
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }

  /** A problem at an offset, with its line as written. */
  problemAt(offset: number, message: string, suggestion: string | null = null): Problem {
    const line = this.lineAt(offset)
    const start = this.#lineStarts[line - 1] ?? 0
    const end = this.#lineStarts[line] ?? this.text.length + 1
    const column = offset - start
    const from = column < shownLineLength ? 0 : column - shownLineLength / 2
    const shown = this.text.slice(start + from, Math.min(end - 1, start + from + shownLineLength)).replace(/\r$/, '')
    return {
      file: this.file,
      line,
      column: column + 1,
      message,
      lineText: shown,
      // The problem may be the carriage return that is not shown, or the end of the text after it.
      caret: Math.min(column - from, shown.length),
      suggestion,
    }
  }
}
