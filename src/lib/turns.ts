/** Work that takes turns with other work of the same key, in the order in which it was asked for. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const now = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const over = now.catch(() => {}) // whoever asked is told
    this.#last.set(key, over)
    void over.then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key)
    })
    return now
  }
}
