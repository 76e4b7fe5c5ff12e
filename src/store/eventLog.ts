import type { Event, RecordedEvent } from '../events/event.ts'

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
  append(expected: number, events: readonly Event[], at: number, from?: number): Promise<RecordedEvent[]>
  /** Returns events after `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): Promise<RecordedEvent[]>
  close(): Promise<void>
}
