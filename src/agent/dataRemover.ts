import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Removed data folders are put here first. No service can be called so. */
const trashName = '.removed'

/**
 * Removes services' data folders. A folder is moved aside in one step before its content goes, so that a service of the
 * same name that is deployed meanwhile gets a folder of its own and loses nothing.
 */
export class DataRemover {
  readonly removed = new Set<string>()
  #data: string
  #forget: (service: string) => Promise<void>
  #removing = new Set<string>()
  #moved = 0

  /** `data` holds one folder per service; `forget` removes a service's kept output. */
  constructor(data: string, forget: (service: string) => Promise<void>) {
    this.#data = data
    this.#forget = forget
  }

  /** Removes what `wanted` names and nothing uses. Resolves to whether anything was removed; rejects with the first failure. */
  async want(wanted: readonly string[], isUsed: (service: string) => boolean): Promise<boolean> {
    for (const service of this.removed) if (!wanted.includes(service)) this.removed.delete(service)
    const due = wanted.filter(
      (service) => !this.removed.has(service) && !this.#removing.has(service) && !isUsed(service),
    )
    await Promise.all(due.map((service) => this.#remove(service)))
    return due.length > 0
  }

  /** Ends what an agent that was killed had begun. */
  async sweep(): Promise<void> {
    await rm(this.#trash, { recursive: true, force: true })
  }

  get #trash(): string {
    return join(this.#data, trashName)
  }

  async #remove(service: string): Promise<void> {
    this.#removing.add(service)
    try {
      const folder = join(this.#data, service)
      if (existsSync(folder)) {
        mkdirSync(this.#trash, { recursive: true, mode: 0o700 })
        renameSync(folder, join(this.#trash, `${service}-${++this.#moved}`))
      }
      // All of it: also what an earlier try had moved and could not remove.
      await this.sweep()
      await this.#forget(service)
      this.removed.add(service)
    } finally {
      this.#removing.delete(service)
    }
  }
}
