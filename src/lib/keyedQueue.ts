/** Runs work with the same key one at a time, in the order of the requests. */
export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>()

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const now = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const over = now.catch(() => {}) // the caller gets the error from `now`
    this.#last.set(key, over)
    void over.then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key)
    })
    return now
  }
}
