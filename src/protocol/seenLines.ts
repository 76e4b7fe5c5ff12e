import type { Answer } from './ask.ts'

/** Lines of the newest moment, which a resumed stream may send again. */
export class SeenLines {
  newest: string | null = null
  readonly #at = new Set<string>()

  /** Returns true when the line was already there. */
  add({ at, instance, text }: Extract<Answer, { kind: 'line' }>): boolean {
    const key = `${at} ${instance} ${text}`
    if (this.newest === null || at > this.newest) {
      this.newest = at
      this.#at.clear()
    } else if (this.#at.has(key)) return true
    this.#at.add(key)
    return false
  }
}
