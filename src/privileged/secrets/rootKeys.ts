import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { privilegedFolder } from '../../layout/dataFolder.ts'
import { removeFileDurably, writeFileDurably } from '../../lib/durableFile.ts'
import { noAnswer, noArguments, operation, type Operations } from '../operation.ts'
import type { CallPrivileged } from '../privilegedClient.ts'
import { opened, sealed } from '../credentials.ts'

/** Name that systemd authenticates with the content: another file under this name is refused. */
const credential = 'root-key'
const keysShape = z.strictObject({ keys: z.string().regex(/^(?:[0-9a-f]{64}\n){0,8}$/) })

/**
 * Keeps the root key of the secrets, sealed with the key of this machine (systemd-creds(1)): a copy of the disk without
 * `/var/lib/systemd/credential.secret`, or on another machine, does not open it.
 */
export function rootKeyOperations(data: string): Operations {
  const path = join(privilegedFolder(data), `${credential}.cred`)
  return {
    'rootKey.keep': operation(
      keysShape,
      async ({ keys }) => {
        // A key in shares lies on no disk.
        if (keys === '') return removeFileDurably(path)
        writeFileDurably(path, await sealed(credential, keys))
      },
      'rootKey',
    ),
    'rootKey.read': operation(noArguments, async () => (existsSync(path) ? opened(credential, path) : ''), 'rootKey'),
  }
}

/** A place that keeps text; empty: none. */
export interface RootKeysKept {
  read: () => Promise<string>
  keep: (keys: string) => Promise<void>
}

export const remoteRootKeys = (call: CallPrivileged): RootKeysKept => ({
  read: () => call('rootKey.read', {}, z.string()),
  keep: async (keys) => void (await call('rootKey.keep', { keys }, noAnswer)),
})
