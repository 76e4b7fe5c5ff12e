import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../lib/durableFile.ts'
import { AgeKey } from '../../sealing/ageKey.ts'
import { opened, sealed } from './credentials.ts'

const name = 'helper-key'

/**
 * The key to which the controller encrypts the secrets of this machine's services, in the folder of the privileged
 * helper, sealed with the key of the machine. Made once, by root.
 */
export class HelperKey {
  readonly #path: string
  #key: Promise<AgeKey> | null = null

  constructor(folder: string) {
    this.#path = join(folder, `${name}.cred`)
  }

  async keep(key: AgeKey): Promise<void> {
    writeFileDurably(this.#path, await sealed(name, key.secret))
    this.#key = Promise.resolve(key)
  }

  /** Throws if there is none, or if the key of the machine does not open it any more. */
  read(): Promise<AgeKey> {
    return (this.#key ??= this.#read())
  }

  async #read(): Promise<AgeKey> {
    if (!existsSync(this.#path))
      throw new Error('this machine has no key for secrets: tandem machine add NAME prints the command that makes one')
    return AgeKey.from((await opened(name, this.#path)).trim())
  }
}
