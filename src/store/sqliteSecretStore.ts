import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { hasTable } from './database.ts'
import type { SecretStore, StoredVersion, WrappedKey } from './secretStore.ts'
import { written, writtenTogether } from './written.ts'

const subject = 'store of secrets'

/** Made here and not by a migration: an older version, which knows no secrets, then still opens the database. */
const table = `CREATE TABLE IF NOT EXISTS secrets (
  path    TEXT    NOT NULL,
  version INTEGER NOT NULL,
  root    TEXT    NOT NULL,
  wrapped BLOB    NOT NULL,
  content BLOB    NOT NULL,
  PRIMARY KEY (path, version)
) STRICT`

export class SqliteSecretStore implements SecretStore {
  #database: DatabaseSync
  #hasTable = false
  #select: StatementSync | null = null

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async put({ path, version, root, wrapped, content }: StoredVersion): Promise<void> {
    const insert = 'INSERT OR REPLACE INTO secrets (path, version, root, wrapped, content) VALUES (?, ?, ?, ?, ?)'
    written(subject, () => {
      this.#makeTable()
      this.#database.prepare(insert).run(path, version, root, wrapped, content)
    })
  }

  async get(path: string, version: number): Promise<StoredVersion | null> {
    if (!this.#exists()) return null
    const select = 'SELECT root, wrapped, content FROM secrets WHERE path = ? AND version = ?'
    const row = (this.#select ??= this.#database.prepare(select)).get(path, version)
    return row === undefined ? null : { ...keyIn({ ...row, path, version }), content: bytes(row['content']) }
  }

  async destroy(path: string, versions: readonly number[]): Promise<void> {
    if (versions.length === 0 || !this.#exists()) return
    const remove = 'DELETE FROM secrets WHERE path = ? AND version = ?'
    this.#forGood(() => {
      for (const version of versions) this.#database.prepare(remove).run(path, version)
    })
  }

  async keys(): Promise<WrappedKey[]> {
    if (!this.#exists()) return []
    return this.#database
      .prepare('SELECT path, version, root, wrapped FROM secrets ORDER BY path, version')
      .all()
      .map(keyIn)
  }

  async rewrap(keys: readonly WrappedKey[]): Promise<void> {
    if (keys.length === 0 || !this.#exists()) return
    const update = this.#database.prepare('UPDATE secrets SET root = ?, wrapped = ? WHERE path = ? AND version = ?')
    this.#forGood(() => {
      for (const { path, version, root, wrapped } of keys) update.run(root, wrapped, path, version)
    })
  }

  /** Overwrites what it removes (sqlite.org/pragma.html#pragma_secure_delete), in the write-ahead log as well. */
  #forGood(write: () => void): void {
    const database = this.#database
    database.exec('PRAGMA secure_delete=ON')
    try {
      writtenTogether(database, subject, write)
      written(subject, () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
    } finally {
      database.exec('PRAGMA secure_delete=OFF')
    }
  }

  #exists(): boolean {
    return (this.#hasTable ||= hasTable(this.#database, 'secrets'))
  }

  /** With the first write: a start on a full disk must succeed. */
  #makeTable(): void {
    if (!this.#hasTable) this.#database.exec(table)
    this.#hasTable = true
  }
}

const keyIn = (row: Record<string, SQLOutputValue>): WrappedKey => ({
  ...{ path: String(row['path']), version: Number(row['version']), root: String(row['root']) },
  wrapped: bytes(row['wrapped']),
})

const bytes = (value: SQLOutputValue | undefined): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new Error('a secret in the database has another type: a bug')
  return value
}
