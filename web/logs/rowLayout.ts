/** Rows of one height, but for a few that are higher. */
export class RowLayout {
  readonly #count: number
  readonly #rowPx: number
  /** The higher rows by index, with all that they and those before them have more. */
  readonly #higher: { index: number; more: number }[] = []

  /** `higher`: index of each higher row, with the pixels that it has more; ascending. */
  constructor(count: number, rowPx: number, higher: readonly (readonly [index: number, more: number])[] = []) {
    this.#count = count
    this.#rowPx = rowPx
    let sum = 0
    for (const [index, more] of higher) this.#higher.push({ index, more: (sum += more) })
  }

  get height(): number {
    return this.topOf(this.#count)
  }

  topOf(index: number): number {
    const before = this.#higher.findLast((one) => one.index < index)
    return index * this.#rowPx + (before?.more ?? 0)
  }

  /** The row at this distance from the top; the last one beyond the end. */
  indexAt(y: number): number {
    let [low, high] = [0, Math.max(0, this.#count - 1)]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.topOf(middle) <= y) low = middle
      else high = middle - 1
    }
    return low
  }
}
