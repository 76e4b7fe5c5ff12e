import type { Event, RecordedEvent } from '../events/event.ts'

/** The event log: the only data that a controller must not lose. Positions start at 1. */
export interface EventLog {
  /** Position of the last event; 0 for an empty log. */
  position(): number
  /**
   * Appends all events or none, durably, if the log still ends at `expected`; throws E_LOG_MOVED otherwise. `from`
   * leaves a deliberate gap (recovery): positions continue there.
   */
  append(expected: number, events: Event[], at: number, from?: number): RecordedEvent[]
  /** Returns events after `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): RecordedEvent[]
  /**
   * Calls `listener` with every event after `after`, in order, once each: first the events in the log, then new ones as
   * they come.
   */
  subscribe(after: number, listener: (event: RecordedEvent) => void): Subscription
  close(): void
}

export interface Subscription {
  close(): void
}
