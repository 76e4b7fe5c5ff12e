import { chmodSync } from 'node:fs'
import { backup, type DatabaseSync } from 'node:sqlite'
import type { Logger } from 'pino'
import { SqliteSecretStore } from '../../store/sqliteSecretStore.ts'
import type { Controller } from '../controller.ts'
import { Backups } from './backup.ts'
import { SecretOrders } from './orders.ts'
import { rootKeysAt, rootKeysIn, type KeptText } from './rootKeys.ts'
import { SecretKeeper } from './secretKeeper.ts'

export interface SecretOptions {
  /** Seals the root key; left out: a file in the data folder that only this user can read. */
  rootKeys?: KeptText
}

interface Parts {
  controller: Controller
  logger: Logger
  data: string
  database: DatabaseSync
  options: SecretOptions
}

/** The secrets of a cluster, and its backups. */
export function openSecrets({ controller, logger, data, database, options }: Parts) {
  const rootKeys = options.rootKeys ? rootKeysAt(options.rootKeys, data) : rootKeysIn(data)
  const copyDatabase = async (path: string): Promise<void> => {
    await backup(database, path)
    chmodSync(path, 0o600)
  }
  const secrets = new SecretKeeper({ controller, store: new SqliteSecretStore(database), rootKeys })
  return {
    secrets,
    secretOrders: new SecretOrders({ controller, keeper: secrets }),
    backups: new Backups({ controller, logger, data, rootKeys, copyDatabase }),
  }
}
