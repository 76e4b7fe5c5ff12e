import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Units of one-off programs that were started since they were written. Such a unit stays after its end, and systemd would
 * run it again: a person's shell, for an agent that was taken over.
 */
export class OnceStarted {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** Whether this is the first start. */
  take(unit: string): boolean {
    try {
      writeFileSync(this.#file(unit), '', { flag: 'wx', mode: 0o600 })
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false // node:fs throws only such errors
      throw error
    }
  }

  /** The unit is written again, or is gone. */
  forget(unit: string): void {
    rmSync(this.#file(unit), { force: true })
  }

  #file(unit: string): string {
    return join(this.#folder, unit)
  }
}
