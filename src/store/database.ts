import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'

const migrations = join(import.meta.dirname, 'migrations')

/**
 * Opens the controller's database, migrates its schema to the current version, and keeps other processes out. Refuses a
 * schema newer than this program. WAL with `synchronous=FULL`: acknowledged writes are on disk
 * (sqlite.org/pragma.html).
 */
export function openDatabase(path: string): DatabaseSync {
  makeFolder(dirname(path))
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;')
    migrate(database, path)
    chmodSync(path, 0o600)
  } catch (error) {
    database.close()
    throw isLocked(error) ? locked(path, error) : error
  }
  return database
}

export const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined

function migrate(database: DatabaseSync, path: string): void {
  const files = readdirSync(migrations)
    .filter((file) => file.endsWith('.sql'))
    .sort()
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (version > files.length) {
    throw new OperatorError(
      'E_LOG_NEWER',
      `${path} has schema ${version}, but this version of Tandem supports schemas up to ${files.length}`,
      { subject: 'event log', next: 'start the version of Tandem that wrote it; nothing was changed' },
    )
  }
  for (const [index, file] of files.entries()) {
    if (index < version) continue
    const sql = readFileSync(join(migrations, file), 'utf8')
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version=${index + 1}; COMMIT;`)
  }
  // Takes the exclusive lock now, not at the first write.
  database.exec('BEGIN IMMEDIATE; COMMIT;')
}

const isLocked = (error: unknown): boolean =>
  error instanceof Error && /database is locked|SQLITE_BUSY/.test(error.message)

const locked = (path: string, cause: unknown): OperatorError =>
  new OperatorError('E_LOG_LOCKED', `another controller has ${path} open`, {
    subject: 'event log',
    next: 'stop the other controller, or give this controller its own data folder (--data)',
    cause,
  })
