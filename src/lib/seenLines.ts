/** A line of output; `at` is ISO 8601. */
interface Line {
  at: string
  instance: string
  text: string
}

/**
 * Lines of the newest moment. A stream that is resumed from that moment sends them again; each is skipped as often as it was
 * there, since a program may print the same line many times in a millisecond. The page uses it too.
 */
export class SeenLines {
  newest: string | null = null
  #seen = new Map<string, number>()
  #sentAgain = new Map<string, number>()

  /** Call before the stream is opened again. */
  resume(): void {
    this.#sentAgain = new Map(this.#seen)
  }

  /** Returns true when the line was there before the stream was opened again. */
  add({ at, instance, text }: Line): boolean {
    const key = `${at} ${instance} ${text}`
    if (this.newest === null || at > this.newest) {
      this.newest = at
      this.#seen.clear()
      this.#sentAgain.clear()
    }
    const left = this.#sentAgain.get(key) ?? 0
    if (left > 0) {
      this.#sentAgain.set(key, left - 1)
      return true
    }
    this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1)
    return false
  }
}
