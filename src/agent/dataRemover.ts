import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from '../releases/removeTree.ts'

/** What a removed data folder is called until its content is gone. No service can be called so. */
const asidePrefix = '.removed-'

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
    await this.#removeAside(asidePrefix)
  }

  async #remove(service: string): Promise<void> {
    this.#removing.add(service)
    try {
      const folder = join(this.#data, service)
      const aside = `${asidePrefix}${service}.`
      if (existsSync(folder)) renameSync(folder, join(this.#data, `${aside}${++this.#moved}`))
      // All of them: also what an earlier try had moved and could not remove.
      await this.#removeAside(aside)
      await this.#forget(service)
      this.removed.add(service)
    } finally {
      this.#removing.delete(service)
    }
  }

  async #removeAside(prefix: string): Promise<void> {
    const names = existsSync(this.#data) ? readdirSync(this.#data) : []
    for (const name of names) if (name.startsWith(prefix)) await removeTree(join(this.#data, name))
  }
}
