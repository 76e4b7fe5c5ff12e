import type { DatabaseSync } from 'node:sqlite'
import { hasTable } from './database.ts'
import type { SessionStore, StoredSession } from './sessionStore.ts'
import { written, writtenTogether } from './written.ts'

const subject = 'list of sessions'

/** Made here and not by a migration: an older version, which knows no sessions, then still opens the database. */
const table = `CREATE TABLE IF NOT EXISTS sessions (
  hash       TEXT    PRIMARY KEY,
  token      TEXT    NOT NULL,
  tunnel     TEXT,
  started_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT`

export class SqliteSessionStore implements SessionStore {
  #database: DatabaseSync
  #hasTable = false

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async all(): Promise<StoredSession[]> {
    if (!hasTable(this.#database, 'sessions')) return []
    return this.#database
      .prepare('SELECT hash, token, tunnel, started_at, expires_at FROM sessions ORDER BY started_at, rowid')
      .all()
      .map((row) => ({
        ...{ hash: String(row['hash']), token: String(row['token']) },
        tunnel: row['tunnel'] === null ? null : String(row['tunnel']),
        ...{ startedAt: Number(row['started_at']), expiresAt: Number(row['expires_at']) },
      }))
  }

  async put({ hash, token, tunnel, startedAt, expiresAt }: StoredSession): Promise<void> {
    const insert =
      'INSERT OR REPLACE INTO sessions (hash, token, tunnel, started_at, expires_at) VALUES (?, ?, ?, ?, ?)'
    written(subject, () => {
      this.#makeTable()
      this.#database.prepare(insert).run(hash, token, tunnel, startedAt, expiresAt)
    })
  }

  async remove(hashes: readonly string[]): Promise<void> {
    if (hashes.length === 0) return
    writtenTogether(this.#database, subject, () => {
      this.#makeTable()
      const remove = this.#database.prepare('DELETE FROM sessions WHERE hash = ?')
      for (const hash of hashes) remove.run(hash)
    })
  }

  /** With the first write: a start on a full disk must succeed. */
  #makeTable(): void {
    if (!this.#hasTable) this.#database.exec(table)
    this.#hasTable = true
  }
}
