import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import { packTar, type TarSource } from 'modern-tar/fs'
import { OperatorError } from '../../lib/operatorError.ts'
import { encryptedTo } from '../../sealing/ageFile.ts'
import { noRecovery } from '../../secrets/room.ts'
import type { Controller } from '../controller.ts'
import { refusalError } from '../refusalError.ts'
import { textOf, type RootKeys } from './rootKeys.ts'

interface Parts {
  controller: Controller
  logger: Logger
  /** The controller's data folder. */
  data: string
  rootKeys: RootKeys
  /** Writes a consistent copy of the database to this path. */
  copyDatabase: (path: string) => Promise<void>
}

const copyName = /^backup-copy-[0-9a-z]+\.db(?:-\w+)?$/

/**
 * Everything that a new controller needs to take the place of this one: database, authority, its own certificate, root
 * key; a tar archive, encrypted to the recovery keys of the cluster file. Releases are not in it: pushes make them again.
 */
export class Backups {
  readonly #parts: Parts
  /** The newest was not sent to its end yet. */
  #isSending = false

  constructor(parts: Parts) {
    this.#parts = parts
    // A backup that was cut off by a kill has left its copy.
    for (const name of existsSync(parts.data) ? readdirSync(parts.data) : [])
      if (copyName.test(name)) rmSync(join(parts.data, name))
  }

  /** `by`: the caller. The log records the backup once its last byte was sent. */
  async stream(by: string): Promise<Readable> {
    const { controller, logger, data, rootKeys, copyDatabase } = this.#parts
    const recipients = controller.state.cluster?.recovery ?? []
    if (recipients.length === 0) throw refusalError(noRecovery(controller.config.cluster))
    // Each takes the room of the database on the disk.
    if (this.#isSending) throw busy()
    this.#isSending = true
    const copy = join(data, `backup-copy-${controller.newId()}.db`)
    const out = new PassThrough()
    try {
      await copyDatabase(copy)
      const archive = packTar(await this.#sources(copy, rootKeys))
      const sealed = await encryptedTo(recipients, Readable.toWeb(archive) as ReadableStream<Uint8Array>)
      void pipeline(Readable.fromWeb(sealed as never), out)
        .then(() => controller.execute({ type: 'RecordBackup', recipients: recipients.length }, by))
        // The reader sees only a broken connection.
        .catch((err: unknown) => logger.error({ err }, 'a backup was not sent, or not recorded'))
        .finally(() => this.#ended(copy))
      return out
    } catch (error) {
      this.#ended(copy)
      throw error
    }
  }

  #ended(copy: string): void {
    rmSync(copy, { force: true })
    this.#isSending = false
  }

  async #sources(copy: string, rootKeys: RootKeys): Promise<TarSource[]> {
    const { data, controller } = this.#parts
    const keys = await rootKeys.read()
    const run = { cluster: controller.config.cluster, words: process.argv.slice(2) }
    const folders = ['authority', 'identity'].filter((name) => existsSync(join(data, name)))
    return [
      { type: 'file', source: copy, target: 'controller.db', mode: 0o600 },
      ...folders.map((name) => ({ type: 'directory' as const, source: join(data, name), target: name })),
      { type: 'content', target: 'root-key', content: textOf(keys), mode: 0o600 },
      { type: 'content', target: 'run.json', content: `${JSON.stringify(run)}\n`, mode: 0o600 },
    ]
  }
}

const busy = (): OperatorError =>
  new OperatorError('E_BACKUP_RUNNING', 'another backup is being sent', {
    subject: 'tandem secrets backup',
    next: 'wait for its end, or end the command that takes it',
  })
