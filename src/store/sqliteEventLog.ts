import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Event, RecordedEvent } from '../events/event.ts'
import { fromStored, versionOf } from '../events/stored.ts'
import type { EventLog } from './eventLog.ts'
import { moved, recordedAt } from './recorded.ts'
import { writtenTogether } from './written.ts'

/** The event log in SQLite. Closing it closes the database. */
export class SqliteEventLog implements EventLog {
  #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async position(): Promise<number> {
    return this.#lastPosition()
  }

  async append(expected: number, events: readonly Event[], at: number, from?: number): Promise<RecordedEvent[]> {
    const recorded = recordedAt(expected, events, at, from)
    writtenTogether(this.#database, 'event log', () => this.#insert(expected, recorded))
    return recorded
  }

  async read(after: number, limit: number): Promise<RecordedEvent[]> {
    return this.#database
      .prepare('SELECT position, at, type, version, data FROM events WHERE position > ? ORDER BY position LIMIT ?')
      .all(after, limit)
      .map(fromRow)
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }

  #insert(expected: number, recorded: readonly RecordedEvent[]): void {
    const insert = this.#database.prepare(
      'INSERT INTO events (position, at, type, version, data) VALUES (?, ?, ?, ?, ?)',
    )
    const last = this.#lastPosition()
    if (last !== expected) throw moved(expected, last)
    for (const { position, at, type, data } of recorded) {
      insert.run(position, at, type, versionOf(type), JSON.stringify(data))
    }
  }

  #lastPosition(): number {
    return Number(this.#database.prepare('SELECT max(position) AS last FROM events').get()?.['last'] ?? 0)
  }
}

function fromRow(row: Record<string, SQLOutputValue>): RecordedEvent {
  return fromStored({
    position: Number(row['position']),
    at: String(row['at']),
    type: String(row['type']),
    version: Number(row['version']),
    data: String(row['data']),
  })
}
