import type { Problems } from './problems.ts'

/**
 * Writes that no caller waits for. A failed write stays a problem until it succeeds, and is retried with each
 * heartbeat.
 */
export class LateWrites {
  #problems: Problems
  #open = new Map<string, () => void>()

  constructor(problems: Problems) {
    this.#problems = problems
  }

  /** `write` may run much later; it writes the state that is known then. */
  write(what: string, write: () => void): void {
    const problem = `cannot write ${what} to disk`
    try {
      write()
    } catch (error) {
      this.#open.set(what, write)
      return this.#problems.add(problem, error)
    }
    this.#open.delete(what)
    this.#problems.solved(problem)
  }

  retry(): void {
    for (const [what, write] of this.#open) this.write(what, write)
  }
}
