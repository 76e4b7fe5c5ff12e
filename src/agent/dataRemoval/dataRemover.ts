import type { DataFolders } from '../../drivers/supervisor/dataFolders.ts'
import type { Problems } from '../problems.ts'

export interface DataRemoverParts {
  folders: DataFolders
  /** Removes the stored output of a service. */
  forget: (service: string) => Promise<void>
  isUsed: (service: string) => boolean
  problems: Problems
  changed: () => void
}

/** Removes the data folders of services that nothing uses any more. */
export class DataRemover {
  readonly removed = new Set<string>()
  #parts: DataRemoverParts
  #removing = new Set<string>()
  #isSwept = false

  constructor(parts: DataRemoverParts) {
    this.#parts = parts
  }

  /**
   * Removes the folders of unused `wanted` services. Never rejects: a failure stays a problem until a later call
   * succeeds.
   */
  async want(wanted: readonly string[]): Promise<void> {
    const { isUsed, problems, changed } = this.#parts
    for (const service of this.removed) if (!wanted.includes(service)) this.removed.delete(service)
    const due = wanted.filter(
      (service) => !this.removed.has(service) && !this.#removing.has(service) && !isUsed(service),
    )
    try {
      await Promise.all(due.map((service) => this.#remove(service)))
      if (due.length > 0) changed()
      if (!this.#isSwept) await this.#sweep()
      problems.solved('data')
    } catch (error) {
      problems.add('data', error)
    }
  }

  /** Finishes removals that a killed agent had begun. */
  async #sweep(): Promise<void> {
    await this.#parts.folders.sweep()
    this.#isSwept = true
  }

  async #remove(service: string): Promise<void> {
    this.#removing.add(service)
    try {
      await this.#parts.folders.remove(service)
      await this.#parts.forget(service)
      this.removed.add(service)
    } finally {
      this.#removing.delete(service)
    }
  }
}
