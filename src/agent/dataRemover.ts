import { existsSync, lstatSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { removeTree } from '../releases/removeTree.ts'
import type { Problems } from './problems.ts'

/** What a removed data folder is called until its content is gone. No service can be called so. */
const asidePrefix = '.removed-'

interface Parts {
  /** Each holds a folder (or a link to one) per service. */
  roots: readonly string[]
  /** Removes a service's kept output. */
  forget: (service: string) => Promise<void>
  isUsed: (service: string) => boolean
  problems: Problems
  changed: () => void
}

/**
 * Removes services' data folders. A folder is moved aside in one step before its content goes, so that a service of the
 * same name that is deployed meanwhile gets a folder of its own and loses nothing.
 */
export class DataRemover {
  readonly removed = new Set<string>()
  #parts: Parts
  #removing = new Set<string>()
  #moved = 0
  #isSwept = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Removes what `wanted` names and nothing uses. Never rejects: what fails is a problem until a later call works. */
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

  /** Ends what an agent that was killed had begun. */
  async #sweep(): Promise<void> {
    await this.#removeAside(asidePrefix)
    this.#isSwept = true
  }

  async #remove(service: string): Promise<void> {
    this.#removing.add(service)
    try {
      const aside = `${asidePrefix}${service}.`
      for (const root of this.#parts.roots) {
        const folder = join(root, service)
        if (lstatSync(folder, { throwIfNoEntry: false })) renameSync(folder, join(root, `${aside}${++this.#moved}`))
      }
      // All of them: also what an earlier try had moved and could not remove.
      await this.#removeAside(aside)
      await this.#parts.forget(service)
      this.removed.add(service)
    } finally {
      this.#removing.delete(service)
    }
  }

  async #removeAside(prefix: string): Promise<void> {
    for (const root of this.#parts.roots) {
      const names = existsSync(root) ? readdirSync(root) : []
      for (const name of names) if (name.startsWith(prefix)) await removeTree(join(root, name))
    }
  }
}
