import type { NewEvent, RecordedEvent } from '../events/event.ts'

/**
 * The event log: the only data that a controller must not lose. Positions start at 1. Every implementation passes
 * `eventLogConformance.ts`.
 */
export interface EventLog {
  /** Position of the last event; 0 for an empty log. */
  position(): Promise<number>
  /**
   * Appends all events or none, durably, if the log still ends at `expected`; rejects with E_LOG_MOVED otherwise, and
   * with E_LOG_UNWRITABLE if the log cannot be written now. `from` leaves a deliberate gap (recovery): positions
   * continue there.
   */
  append(expected: number, events: readonly NewEvent[], at: number, from?: number): Promise<RecordedEvent[]>
  /** Returns events after `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): Promise<RecordedEvent[]>
  /** Returns the newest events that match, newest first, at most `limit`. Looks at all events in the range. */
  search(range: LogRange, match: LogMatch, limit: number): Promise<RecordedEvent[]>
  close(): Promise<void>
}

/** Positions after `after` and before `before`. */
export interface LogRange {
  after: number
  before: number
}

/** All that is given must hold. */
export interface LogMatch {
  types?: readonly string[]
  by?: string
  /** A call of a token or a machine led to it. */
  isAsked?: true
  cause?: number
  /** Of each group, the event's data contains one of the texts, as JSON. */
  contains?: readonly (readonly string[])[]
}
