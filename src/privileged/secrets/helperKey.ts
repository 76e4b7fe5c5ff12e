import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../lib/durableFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { AgeKey } from '../../sealing/ageKey.ts'
import { opened, sealed } from './credentials.ts'

const name = 'helper-key'

/**
 * The key to which the controller encrypts the secrets of this machine's services, in the folder of the privileged
 * helper, sealed with the key of the machine. Made once, by root.
 */
export class HelperKey {
  readonly #path: string
  #key: AgeKey | null = null

  constructor(folder: string) {
    this.#path = join(folder, `${name}.cred`)
  }

  async keep(key: AgeKey): Promise<void> {
    writeFileDurably(this.#path, await sealed(name, key.secret))
    this.#key = key
  }

  /** Throws if there is none, or if the key of the machine does not open it any more. */
  async read(): Promise<AgeKey> {
    return (this.#key ??= await this.#read())
  }

  async #read(): Promise<AgeKey> {
    if (!existsSync(this.#path)) throw unusable('this machine has no key for secrets')
    const text = await opened(name, this.#path).catch((cause: unknown) => {
      throw unusable('the key for secrets of this machine does not open: its machine id has changed', cause)
    })
    return AgeKey.from(text.trim())
  }
}

const unusable = (message: string, cause?: unknown): OperatorError =>
  new OperatorError('E_ORDER', message, {
    subject: 'secrets',
    next: 'tandem machine add NAME   prints a command; run it on this machine as root',
    cause,
  })
