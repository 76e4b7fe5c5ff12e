/** A rollout is over, and nothing new has been asked for this long. */
const quietMs = 10_000
/** Compiled code that is no longer used leaves only after some collections. */
const rounds = 4

/**
 * Gives back what work took, once it is quiet: left alone, Node keeps the garbage of the last rollout until it needs the
 * room. Does nothing unless the process was started with `--expose-gc`.
 */
export class IdleMemory {
  #timer: NodeJS.Timeout | undefined
  #round = 0

  /** Something was done: count the quiet afresh. */
  worked(): void {
    this.#round = 0
    this.#wait()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const collect = globalThis.gc
    if (!collect || this.#round++ >= rounds) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      this.#wait()
    }, quietMs).unref()
  }
}
