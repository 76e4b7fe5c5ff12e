/** How long the agent must be idle, with no rollout in progress, before memory is collected. */
const quietMs = 10_000
/** Unused compiled code is freed only after several collections. */
const rounds = 4

/**
 * Frees the memory that work took once the agent is idle. Without this, Node keeps the garbage of the last rollout
 * until it needs the room. Does nothing unless the process was started with `--expose-gc`.
 */
export class IdleMemory {
  #timer: NodeJS.Timeout | undefined
  #round = 0

  /** Restarts the idle timer after work. */
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
