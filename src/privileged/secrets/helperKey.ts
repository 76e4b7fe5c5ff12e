import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolderDurably, writeFileDurably } from '../../lib/durableFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { AgeKey } from '../../sealing/ageKey.ts'
import { opened, sealed, Unopened } from '../credentials.ts'

const name = 'helper-key'

/**
 * The key to which the controller encrypts the secrets of this machine's services, in the folder of the privileged
 * helper, sealed with the key of the machine. Made once, by root.
 */
export class HelperKey {
  readonly #folder: string
  #key: AgeKey | null = null

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Throws `E_ORDER` if there is none, or if the key of the machine does not open it any more. */
  async read(): Promise<AgeKey> {
    const key = (this.#key ??= await this.#readFrom(this.#path))
    if (key) return key
    throw unusable('this machine has no key for secrets that opens')
  }

  /** The present one, else a new one, which counts once `take` was called. */
  async next(): Promise<{ key: AgeKey; isNew: boolean }> {
    const present = await this.#readFrom(this.#path)
    if (present) return { key: present, isNew: false }
    // The controller may know it already, if this was cut off before.
    const begun = await this.#readFrom(this.#begun)
    if (begun) return { key: begun, isNew: true }
    const key = await AgeKey.make()
    makeFolderDurably(this.#folder)
    writeFileDurably(this.#begun, await sealed(name, key.secret))
    return { key, isNew: true }
  }

  /** Takes the new one into use. */
  take(): void {
    renameSync(this.#begun, this.#path)
    this.#key = null
  }

  async #readFrom(path: string): Promise<AgeKey | null> {
    if (!existsSync(path)) return null
    try {
      return await AgeKey.from((await opened(name, path)).trim())
    } catch (error) {
      if (error instanceof Unopened) return null
      throw error
    }
  }

  get #path(): string {
    return join(this.#folder, `${name}.cred`)
  }

  get #begun(): string {
    return join(this.#folder, `${name}.new.cred`)
  }
}

const unusable = (message: string): OperatorError =>
  new OperatorError('E_ORDER', message, {
    subject: 'secrets',
    next: 'tandem machine add NAME   prints a command; run it on this machine as root',
  })
