import type { Problems } from './problems.ts'

/** Writes that nothing here has to wait for: one that fails is a problem until it is done, and is tried again with each beat. */
export class LateWrites {
  #problems: Problems
  #open = new Map<string, () => void>()

  constructor(problems: Problems) {
    this.#problems = problems
  }

  /** `write` may run much later: it writes what is known by then. */
  write(what: string, write: () => void): void {
    const problem = `cannot write down ${what}`
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
