/** A table of any size has taken all numbers after so many frames. */
const mostFrames = 10

/**
 * Rows of a large table in which only numbers changed take turns, a few in each frame: 500 instances at once would be
 * one long frame. `again` draws the table again.
 */
export class RowTurns {
  readonly #again: () => void
  #perFrame = 1
  #left = 1
  #isAsked = false
  #frame = 0

  constructor(again: () => void) {
    this.#again = again
  }

  set rows(rows: number) {
    this.#perFrame = Math.ceil(rows / mostFrames)
  }

  /** Whether one more row may change in this frame. If not, the table is drawn again in the next one. */
  take(): boolean {
    this.#frame ||= requestAnimationFrame(() => this.#next())
    if (this.#left > 0) {
      this.#left--
      return true
    }
    this.#isAsked = true
    return false
  }

  stop(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
  }

  #next(): void {
    this.#frame = 0
    this.#left = this.#perFrame
    if (!this.#isAsked) return
    this.#isAsked = false
    this.#again()
  }
}
