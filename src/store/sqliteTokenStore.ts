import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Role, StoredToken, TokenStore } from './tokenStore.ts'
import { written } from './written.ts'

export class SqliteTokenStore implements TokenStore {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async all(): Promise<StoredToken[]> {
    return this.#database
      .prepare('SELECT hash, role, machine, name, created_at FROM tokens ORDER BY created_at, rowid')
      .all()
      .map(fromRow)
  }

  async put({ hash, role, machine, name, createdAt }: StoredToken): Promise<void> {
    const insert = 'INSERT OR REPLACE INTO tokens (hash, role, machine, name, created_at) VALUES (?, ?, ?, ?, ?)'
    written('list of tokens', () => this.#database.prepare(insert).run(hash, role, machine, name, createdAt))
  }

  async remove(prefix: string): Promise<string[]> {
    const remove = 'DELETE FROM tokens WHERE substr(hash, 1, length(?)) = ? RETURNING hash'
    const removed = written('list of tokens', () => this.#database.prepare(remove).all(prefix, prefix))
    return removed.map((row) => String(row['hash']))
  }
}

const fromRow = (row: Record<string, SQLOutputValue>): StoredToken => ({
  hash: String(row['hash']),
  role: row['role'] as Role, // the schema checks the role
  machine: row['machine'] === null ? null : String(row['machine']),
  name: String(row['name']),
  createdAt: String(row['created_at']),
})
