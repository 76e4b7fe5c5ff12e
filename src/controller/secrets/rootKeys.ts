import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../lib/durableFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { keyBytes } from '../../sealing/sealed.ts'

/** Where the root key is kept while the controller does not run. */
export interface RootKeys {
  /** The newest first; former ones are there while values are wrapped again. Empty: none was made. */
  read(): Promise<Uint8Array[]>
  /** They are on disk afterwards. */
  keep(keys: readonly Uint8Array[]): Promise<void>
}

/** In a file that only this user can read: on a laptop, whoever can read the database can read it too. */
export function rootKeysIn(data: string): RootKeys {
  const path = join(data, 'root-key')
  return {
    read: async () => {
      if (!existsSync(path)) return []
      if ((lstatSync(path).mode & 0o077) !== 0)
        throw new OperatorError('E_SECRETS_MODE', `other users can read ${path}`, {
          subject: path,
          next: `chmod 600 ${path}; then tandem secrets rekey, since somebody may have read it`,
        })
      return keysIn(readFileSync(path, 'utf8'), path)
    },
    keep: async (keys) => writeFileDurably(path, textOf(keys)),
  }
}

/** At a place that keeps text. */
export const rootKeysAt = ({ read, keep }: KeptText): RootKeys => ({
  read: async () => keysIn(await read(), 'the privileged helper'),
  keep: (keys) => keep(textOf(keys)),
})

export interface KeptText {
  /** Empty: none. */
  read: () => Promise<string>
  keep: (text: string) => Promise<void>
}

/** A line of hexadecimal digits for each. */
const textOf = (keys: readonly Uint8Array[]): string =>
  keys.map((key) => `${Buffer.from(key).toString('hex')}\n`).join('')

function keysIn(text: string, where: string): Uint8Array[] {
  const lines = text.split('\n').filter((line) => line !== '')
  if (lines.every((line) => new RegExp(`^[0-9a-f]{${keyBytes * 2}}$`).test(line)))
    return lines.map((line) => Buffer.from(line, 'hex'))
  throw new OperatorError('E_SEALED', `${where} holds no root key`, {
    subject: where,
    next: 'restore it from a backup: without it, no value of a secret can be read',
  })
}
