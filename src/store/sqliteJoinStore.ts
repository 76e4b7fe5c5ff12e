import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { hasTable } from './database.ts'
import type { Bound, FoundJoin, JoinStore, StoredJoin } from './joinStore.ts'
import { written, writtenTogether } from './written.ts'

const subject = 'list of join tokens'

/** Made here and not by a migration, so that an older version still opens the database. */
const keys = 'CREATE TABLE IF NOT EXISTS join_keys (hash TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT'

export class SqliteJoinStore implements JoinStore {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async put({ hash, machine, expiresAt }: StoredJoin, now: number): Promise<void> {
    writtenTogether(this.#database, subject, () => {
      this.#database.prepare('DELETE FROM joins WHERE machine = ? OR expires_at < ?').run(machine, now)
      this.#database
        .prepare('INSERT INTO joins (hash, machine, expires_at) VALUES (?, ?, ?)')
        .run(hash, machine, expiresAt)
      if (hasTable(this.#database, 'join_keys'))
        this.#database.exec('DELETE FROM join_keys WHERE hash NOT IN (SELECT hash FROM joins)')
    })
  }

  async take(hash: string, request: string, now: number): Promise<string | null> {
    const take = `UPDATE joins SET used_at = ?, used_by = ?
       WHERE hash = ? AND (used_at IS NULL OR used_by = ?) AND expires_at >= ? RETURNING machine`
    const row = written(subject, () => this.#database.prepare(take).get(now, request, hash, request, now))
    return row === undefined ? null : String(row['machine'])
  }

  async bind(hash: string, key: string): Promise<Bound> {
    return writtenTogether(this.#database, subject, () => {
      this.#database.exec(keys)
      const row = this.#database.prepare('SELECT key FROM join_keys WHERE hash = ?').get(hash)
      if (row) return row['key'] === key ? 'again' : 'refused'
      this.#database.prepare('INSERT INTO join_keys VALUES (?, ?)').run(hash, key)
      return 'first'
    })
  }

  async find(hash: string, now: number): Promise<FoundJoin | null> {
    const found = 'SELECT machine, used_at FROM joins WHERE hash = ? AND expires_at >= ?'
    const row = this.#database.prepare(found).get(hash, now)
    return row === undefined ? null : { machine: String(row['machine']), isUsed: row['used_at'] !== null }
  }

  async giveBack(hash: string): Promise<void> {
    this.#write('UPDATE joins SET used_at = NULL, used_by = NULL WHERE hash = ?', hash)
  }

  async forget(machine: string): Promise<void> {
    this.#write('DELETE FROM joins WHERE machine = ?', machine)
  }

  #write(sql: string, ...values: SQLInputValue[]): void {
    written(subject, () => this.#database.prepare(sql).run(...values))
  }
}
