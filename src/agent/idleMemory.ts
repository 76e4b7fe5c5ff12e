import type { Clock } from '../lib/clock.ts'

/** How long the agent must be idle, with no rollout in progress, before memory is collected. */
const quietMs = 10_000
/** Unused compiled code is freed only after several collections. */
const rounds = 4

/**
 * Frees the memory that work took once the agent is idle. Without this, Node keeps the garbage of the last rollout
 * until it needs the room. Does nothing unless the process was started with `--expose-gc`.
 */
export class IdleMemory {
  #clock: Clock
  #stop: () => void = () => {}
  #round = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Restarts the idle timer after work. */
  worked(): void {
    this.#round = 0
    this.#wait()
  }

  close(): void {
    this.#stop()
  }

  #wait(): void {
    const collect = globalThis.gc
    if (!collect || this.#round++ >= rounds) return
    this.#stop()
    this.#stop = this.#clock.after(quietMs, () => {
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      this.#wait()
    })
  }
}
