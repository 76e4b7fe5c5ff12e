import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { machineSettingsSchema } from '../definitions/machineSettings.ts'
import { namePattern } from '../definitions/names.ts'
import { IdentityFolder } from './identityFolder.ts'

/** The agent can write the file, and root reads it when the machine joins again: nothing in it may reach a unit. */
const joinedSchema = z.object({
  machine: z.string().regex(namePattern),
  /** Addresses of the controllers, `host:port`. */
  controllers: z.array(z.string()).min(1),
  settings: machineSettingsSchema,
})

export type JoinedMachine = z.infer<typeof joinedSchema>

/** Files that `tandem agent join` leaves in the agent's data folder: the name of this machine, and its identity. */
export class JoinedFolder {
  readonly identity: IdentityFolder
  readonly #path: string

  constructor(data: string) {
    this.identity = new IdentityFolder(join(data, 'identity'))
    this.#path = join(data, 'joined.json')
  }

  exists(): boolean {
    return existsSync(this.#path)
  }

  read(): JoinedMachine {
    try {
      return joinedSchema.parse(readJson(this.#path))
    } catch (cause) {
      throw new OperatorError('E_ENVIRONMENT', `${this.#path} does not contain the name and settings of this machine`, {
        subject: this.#path,
        next: 'join again: tandem machine add NAME   prints the command',
        cause,
      })
    }
  }

  write(joined: JoinedMachine): void {
    makeFolder(join(this.#path, '..'))
    writeJsonDurably(this.#path, joined)
  }
}
