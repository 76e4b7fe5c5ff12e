/**
 * A lock that many callers may share, or that one caller may hold alone. First come, first served: sharers cannot
 * overtake a caller that waits to hold the lock alone.
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
