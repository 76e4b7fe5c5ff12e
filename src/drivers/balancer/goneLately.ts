/** Counts of an instance that is gone can still be read for this long. */
const keptMs = 120_000

/** Remembers since when instances are gone, so that their last counts stay readable for a while. */
export class GoneLately {
  readonly #since = new Map<string, number>()

  /** Returns those of the known instances that have been gone for too long; `at` in ms of one clock. */
  over(known: Iterable<string>, isPresent: (instance: string) => boolean, at: number): string[] {
    const over: string[] = []
    for (const instance of known) {
      if (isPresent(instance)) this.#since.delete(instance)
      else if (!this.#since.has(instance)) this.#since.set(instance, at)
      else if (at - (this.#since.get(instance) ?? at) > keptMs) over.push(instance)
    }
    for (const instance of over) this.#since.delete(instance)
    return over
  }
}
