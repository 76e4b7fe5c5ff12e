import type { NewEvent, RecordedEvent } from '../../events/event.ts'
import { fromStored, versionOf } from '../../events/stored.ts'
import { sleep, systemClock, type Clock } from '../../lib/clock.ts'
import type { EventLog, LogMatch, LogRange } from '../eventLog.ts'
import { moved, recordedAt } from '../recorded.ts'
import { unwritable } from '../written.ts'

/** Everything that a computer with an event log keeps when the process on it ends. */
export interface Disk {
  rows: string[]
}

/** An event log without a disk that takes its time: other work runs while it appends and reads. */
export class MemoryEventLog implements EventLog {
  /** Appends are refused while this is set. */
  isFull = false
  #disk: Disk
  #othersRun: () => Promise<void>

  constructor(disk: Disk = { rows: [] }, clock: Clock = systemClock) {
    this.#disk = disk
    this.#othersRun = () => sleep(clock, 0)
  }

  async position(): Promise<number> {
    await this.#othersRun()
    return this.#last()
  }

  async append(expected: number, events: readonly NewEvent[], at: number, from?: number): Promise<RecordedEvent[]> {
    const recorded = recordedAt(expected, events, at, from)
    await this.#othersRun()
    const last = this.#last()
    if (last !== expected) throw moved(expected, last)
    if (this.isFull) throw unwritable('event log', new Error('the disk is full'))
    this.#disk.rows.push(...recorded.map((event) => JSON.stringify(event)))
    await this.#othersRun()
    return recorded
  }

  async read(after: number, limit: number): Promise<RecordedEvent[]> {
    await this.#othersRun()
    const from = this.#disk.rows.findIndex((row) => parsed(row).position > after)
    if (from < 0) return []
    return this.#disk.rows.slice(from, from + limit).map(stored)
  }

  async search({ after, before }: LogRange, match: LogMatch, limit: number): Promise<RecordedEvent[]> {
    await this.#othersRun()
    const { types, by, isAsked = false, cause, contains = [] } = match
    return this.#disk.rows
      .map(stored)
      .filter(
        (event) =>
          event.position > after &&
          event.position < before &&
          (types?.includes(event.type) ?? true) &&
          (by === undefined || event.by === by) &&
          (!isAsked || typeof event.by === 'string') &&
          (cause === undefined || event.cause === cause) &&
          contains.every((group) => group.some((text) => JSON.stringify(event.data).includes(text))),
      )
      .toReversed()
      .slice(0, limit)
  }

  async close(): Promise<void> {}

  #last(): number {
    return parsed(this.#disk.rows.at(-1) ?? '{"position":0}').position
  }
}

const parsed = (row: string): RecordedEvent => JSON.parse(row) as RecordedEvent // only `append` writes rows

function stored(row: string): RecordedEvent {
  const { position, at, type, data, ...origin } = parsed(row)
  return { ...fromStored({ position, at, type, version: versionOf(type), data: JSON.stringify(data) }), ...origin }
}
