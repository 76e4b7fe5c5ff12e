import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Event, RecordedEvent } from '../events/event.ts'
import { eventVersions, fromStored } from '../events/stored.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { EventLog, Subscription } from './eventLog.ts'

/** Number of events that a catching-up subscriber reads at a time. */
const page = 500

export class SqliteEventLog implements EventLog {
  #database: DatabaseSync
  #position: number
  #subscribers = new Set<(event: RecordedEvent) => void>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#position = this.#lastPosition()
  }

  position(): number {
    return this.#position
  }

  append(expected: number, events: Event[], at: number, from = expected + 1): RecordedEvent[] {
    if (from <= expected) throw new Error('positions only grow')
    const recorded = events.map((event, index) => ({
      ...event,
      position: from + index,
      at: new Date(at).toISOString(),
    }))
    const insert = this.#database.prepare(
      'INSERT INTO events (position, at, type, version, data) VALUES (?, ?, ?, ?, ?)',
    )
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const last = this.#lastPosition()
      if (last !== expected) throw moved(expected, last)
      for (const { position, at: time, type, data } of recorded) {
        insert.run(position, time, type, eventVersions[type], JSON.stringify(data))
      }
      this.#database.exec('COMMIT')
    } catch (error) {
      // On a full disk SQLite has rolled back automatically (sqlite.org/lang_transaction.html, 2.2).
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    this.#position = recorded.at(-1)?.position ?? expected
    for (const event of recorded) for (const subscriber of this.#subscribers) subscriber(event)
    return recorded
  }

  read(after: number, limit: number): RecordedEvent[] {
    return this.#database
      .prepare('SELECT position, at, type, version, data FROM events WHERE position > ? ORDER BY position LIMIT ?')
      .all(after, limit)
      .map(fromRow)
  }

  subscribe(after: number, listener: (event: RecordedEvent) => void): Subscription {
    let seen = after
    for (let events = this.read(seen, page); events.length > 0; events = this.read(seen, page)) {
      for (const event of events) {
        seen = event.position
        listener(event)
      }
    }
    this.#subscribers.add(listener)
    return { close: () => this.#subscribers.delete(listener) }
  }

  close(): void {
    this.#subscribers.clear()
    this.#database.close()
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

const moved = (expected: number, last: number): OperatorError =>
  new OperatorError('E_LOG_MOVED', `the event log ends at ${last}, not at ${expected}`, {
    subject: 'event log',
    next: 'make sure that only one controller uses this data folder, then restart that controller',
  })
