import type { DatabaseSync } from 'node:sqlite'
import { hasTable } from './database.ts'
import type { KeptSnapshot, SnapshotKey, SnapshotStore } from './snapshotStore.ts'
import { writtenTogether } from './written.ts'

/**
 * Not a migration: an older version of Tandem refuses a database with more migrations than it knows, and must open this
 * one after a downgrade. It leaves the table alone. Made with the first snapshot, so that a controller on a full disk
 * starts.
 */
const table = `CREATE TABLE IF NOT EXISTS snapshots (
  version  TEXT    NOT NULL,
  position INTEGER NOT NULL,
  content  BLOB    NOT NULL,
  PRIMARY KEY (version, position)
) STRICT`

export class SqliteSnapshotStore implements SnapshotStore {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async list(): Promise<KeptSnapshot[]> {
    if (!this.#exists()) return []
    return this.#database
      .prepare('SELECT version, position, length(content) AS bytes FROM snapshots ORDER BY position DESC')
      .all()
      .map((row) => ({
        ...{ version: String(row['version']), position: Number(row['position']), bytes: Number(row['bytes']) },
      }))
  }

  async read({ version, position }: SnapshotKey): Promise<Uint8Array | null> {
    if (!this.#exists()) return null
    const read = 'SELECT content FROM snapshots WHERE version = ? AND position = ?'
    const content = this.#database.prepare(read).get(version, position)?.['content']
    return content instanceof Uint8Array ? content : null
  }

  async put(key: SnapshotKey, content: Uint8Array, superseded: readonly SnapshotKey[]): Promise<void> {
    writtenTogether(this.#database, 'list of snapshots', () => {
      this.#database.exec(table)
      const remove = this.#database.prepare('DELETE FROM snapshots WHERE version = ? AND position = ?')
      // First, so that their pages are free for the new one.
      for (const { version, position } of superseded) remove.run(version, position)
      this.#database
        .prepare('INSERT OR REPLACE INTO snapshots (version, position, content) VALUES (?, ?, ?)')
        .run(key.version, key.position, content)
    })
  }

  #exists(): boolean {
    return hasTable(this.#database, 'snapshots')
  }
}
