import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeFileDurably, writeFileDurably } from '../../lib/durableFile.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { keyBytes } from '../../sealing/sealed.ts'

/** Where the root key is kept while the controller does not run. */
export interface RootKeys {
  /** The newest first; former ones are there while values are wrapped again. Empty: none was made. */
  read(): Promise<Uint8Array[]>
  /** They are on disk afterwards. */
  keep(keys: readonly Uint8Array[]): Promise<void>
}

const fileIn = (data: string): string => join(data, 'root-key')

/** In a file that only this user can read: on a laptop, whoever can read the database can read it too. */
export function rootKeysIn(data: string): RootKeys {
  const path = fileIn(data)
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
    keep: async (keys) => (keys.length === 0 ? removeFileDurably(path) : writeFileDurably(path, textOf(keys))),
  }
}

/** At a place that keeps text. A file that a restored backup brought is kept there and removed. */
export function rootKeysAt({ read, keep }: KeptText, data: string): RootKeys {
  const restored = fileIn(data)
  return {
    read: async () => {
      if (existsSync(restored)) {
        const keys = await rootKeysIn(data).read()
        await keep(textOf(keys))
        removeFileDurably(restored)
        return keys
      }
      return keysIn(await read(), 'the privileged helper')
    },
    keep: (keys) => keep(textOf(keys)),
  }
}

export interface KeptText {
  /** Empty: none. */
  read: () => Promise<string>
  keep: (text: string) => Promise<void>
}

/** A line of hexadecimal digits for each. */
export const textOf = (keys: readonly Uint8Array[]): string =>
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
