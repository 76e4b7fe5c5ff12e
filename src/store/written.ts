import type { DatabaseSync } from 'node:sqlite'
import { OperatorError } from '../lib/operatorError.ts'

/**
 * Runs a write to the controller's database. Turns SQLite's refusal (the disk is full or read-only) into the error that
 * users see: then nothing was written.
 */
export function written<T>(subject: string, write: () => T): T {
  try {
    return write()
  } catch (error) {
    throw isSqliteError(error) ? unwritable(subject, error) : error
  }
}

/** Runs several writes: all of them are written, or none. */
export function writtenTogether<T>(database: DatabaseSync, subject: string, write: () => T): T {
  return written(subject, () => {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = write()
      database.exec('COMMIT')
      return result
    } catch (error) {
      // On a full disk SQLite has rolled back automatically (sqlite.org/lang_transaction.html, 2.2).
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  })
}

const isSqliteError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'

export const unwritable = (subject: string, cause: Error): OperatorError =>
  new OperatorError('E_LOG_UNWRITABLE', `the ${subject} cannot be written: ${cause.message}`, {
    subject,
    next: "free space on the controller's disk, or make it writable; nothing was changed, and the services keep running",
    cause,
  })
