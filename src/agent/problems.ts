import type { Logger } from 'pino'

/** Longest text of one problem in a report, in characters. */
const maxChars = 500

/** Failures on this machine that the agent retries; `status` shows each until it is solved. */
export class Problems {
  #logger: Logger
  #changed: () => void
  #open = new Map<string, string>()

  constructor(logger: Logger, changed: () => void) {
    this.#logger = logger
    this.#changed = changed
  }

  /** `what` names the driver or the part; each has one problem at a time. A repeated problem is not logged again. */
  add(what: string, error: unknown): void {
    const text = `${what}: ${error instanceof Error ? error.message : String(error)}`.slice(0, maxChars)
    if (this.#open.get(what) === text) return
    this.#open.set(what, text)
    this.#logger.error({ err: error, what }, 'an operation failed; retrying')
    this.#changed()
  }

  solved(what: string): void {
    if (this.#open.delete(what)) this.#changed()
  }

  has(what: string): boolean {
    return this.#open.has(what)
  }

  list(): string[] {
    return [...this.#open.values()]
  }
}
