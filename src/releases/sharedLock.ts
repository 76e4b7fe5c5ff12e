/**
 * Many may share it, or one may have it alone. First come, first served: who waits for it alone is not overtaken for
 * ever by those who share.
 */
export class SharedLock {
  #tail: Promise<unknown> = Promise.resolve()
  readonly #sharers = new Set<Promise<void>>()

  shared<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#tail.then(work)
    const forget = (): void => void this.#sharers.delete(ended)
    const ended: Promise<void> = running.then(forget, forget)
    this.#sharers.add(ended)
    return running
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const before = [this.#tail, ...this.#sharers]
    const running = Promise.all(before).then(work)
    this.#tail = running.then(
      () => undefined,
      () => undefined,
    )
    return running
  }
}
