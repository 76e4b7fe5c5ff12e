import type { Output } from './output.ts'

/** A line on stderr that is redrawn while work progresses. Shows nothing if stderr is not a terminal. */
export class ProgressLine {
  readonly #out: Output
  #shown = false
  #drawnAt = 0

  constructor(out: Output) {
    this.#out = out
  }

  show(text: string): void {
    const now = performance.now()
    if (!this.#out.live || now - this.#drawnAt < redrawMs) return
    this.#drawnAt = now
    this.#shown = true
    const width = (this.#out.stderr.columns ?? 80) - 1
    this.#out.raw('err', `\r\u001B[K${text.slice(0, width)}`)
  }

  clear(): void {
    if (this.#shown) this.#out.raw('err', '\r\u001B[K')
    this.#shown = false
  }
}

const redrawMs = 50
