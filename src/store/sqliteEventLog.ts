import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { NewEvent, RecordedEvent } from '../events/event.ts'
import { fromStored, versionOf } from '../events/stored.ts'
import type { EventLog, LogMatch, LogRange } from './eventLog.ts'
import { moved, recordedAt } from './recorded.ts'
import { hasTable } from './database.ts'
import { writtenTogether } from './written.ts'

/**
 * Where events come from. Not a migration, as the table of snapshots: an older version of Tandem must open the database
 * after a downgrade. It leaves the table alone, so the events that it appends have no row here: their origin is not
 * recorded, as that of events from before this table.
 */
const origins = `
CREATE TABLE IF NOT EXISTS origins (
  position INTEGER PRIMARY KEY,
  asked_by TEXT,
  cause    INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS origins_by_cause ON origins (cause) WHERE cause IS NOT NULL;`

/** Number of statements kept: searches differ in their conditions. */
const mostStatements = 50

/** The event log in SQLite. Closing it closes the database. */
export class SqliteEventLog implements EventLog {
  #database: DatabaseSync
  #hasOrigins: boolean
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#hasOrigins = hasTable(database, 'origins')
  }

  async position(): Promise<number> {
    return this.#lastPosition()
  }

  async append(expected: number, events: readonly NewEvent[], at: number, from?: number): Promise<RecordedEvent[]> {
    const recorded = recordedAt(expected, events, at, from)
    writtenTogether(this.#database, 'event log', () => this.#insert(expected, recorded))
    this.#hasOrigins = true
    return recorded
  }

  async read(after: number, limit: number): Promise<RecordedEvent[]> {
    return this.#select('e.position > ? ORDER BY e.position LIMIT ?', [after, limit])
  }

  async search(range: LogRange, match: LogMatch, limit: number): Promise<RecordedEvent[]> {
    const { types, by, isAsked = false, cause, contains = [] } = match
    if (!this.#hasOrigins && (by !== undefined || isAsked || cause !== undefined)) return []
    const conditions = ['e.position > ?', 'e.position < ?']
    const values: SQLInputValue[] = [range.after, range.before]
    const add = (condition: string, ...more: SQLInputValue[]): void => {
      conditions.push(condition)
      values.push(...more)
    }
    if (types) add(`e.type IN (${types.map(() => '?').join()})`, ...types)
    if (by !== undefined) add('o.asked_by = ?', by)
    if (isAsked) add('o.asked_by IS NOT NULL')
    if (cause !== undefined) add('e.position IN (SELECT position FROM origins WHERE cause = ?)', cause)
    for (const group of contains) add(`(${group.map(() => 'instr(e.data, ?) > 0').join(' OR ')})`, ...group)
    return this.#select(`${conditions.join(' AND ')} ORDER BY e.position DESC LIMIT ?`, [...values, limit])
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }

  #select(where: string, values: SQLInputValue[]): RecordedEvent[] {
    const [more, join] = this.#hasOrigins
      ? ['o.position AS origin, o.asked_by, o.cause', 'LEFT JOIN origins o ON o.position = e.position']
      : ['NULL AS origin', '']
    return this.#prepared(
      `SELECT e.position, e.at, e.type, e.version, e.data, ${more} FROM events e ${join} WHERE ${where}`,
    )
      .all(...values)
      .map(fromRow)
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    if (this.#statements.size >= mostStatements) this.#statements.clear()
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #insert(expected: number, recorded: readonly RecordedEvent[]): void {
    const last = this.#lastPosition()
    if (last !== expected) throw moved(expected, last)
    // With the first append, so that a controller on a full disk starts.
    if (!this.#hasOrigins) this.#database.exec(origins)
    const insert = this.#database.prepare(
      'INSERT INTO events (position, at, type, version, data) VALUES (?, ?, ?, ?, ?)',
    )
    const insertOrigin = this.#database.prepare('INSERT INTO origins (position, asked_by, cause) VALUES (?, ?, ?)')
    for (const { position, at, type, data, by, cause } of recorded) {
      insert.run(position, at, type, versionOf(type), JSON.stringify(data))
      if (by !== null) insertOrigin.run(position, by ?? null, cause ?? null)
    }
  }

  #lastPosition(): number {
    return Number(this.#prepared('SELECT max(position) AS last FROM events').get()?.['last'] ?? 0)
  }
}

function fromRow(row: Record<string, SQLOutputValue>): RecordedEvent {
  const event = fromStored({
    position: Number(row['position']),
    at: String(row['at']),
    type: String(row['type']),
    version: Number(row['version']),
    data: String(row['data']),
  })
  if (row['origin'] === null) return { ...event, by: null, cause: null }
  const { asked_by: by, cause } = row
  return {
    ...event,
    ...(typeof by === 'string' ? { by } : {}),
    ...(cause === null ? {} : { cause: Number(cause) }),
  }
}
