import type { Event, RecordedEvent } from '../events/event.ts'

/** The event log: the only thing a controller must not lose. Positions start at 1. */
export interface EventLog {
  /** The position of the last event; 0 for an empty log. */
  position(): number
  /**
   * Appends all or none, durably, when the log still ends at `expected`; throws E_LOG_MOVED otherwise. `from` leaves a
   * gap on purpose (recovery): positions continue there.
   */
  append(expected: number, events: Event[], at: number, from?: number): RecordedEvent[]
  /** Events after `after`, oldest first, at most `limit`. */
  read(after: number, limit: number): RecordedEvent[]
  /** Called with every event after `after`, in order, once each: first those in the log, then new ones as they come. */
  subscribe(after: number, listener: (event: RecordedEvent) => void): Subscription
  close(): void
}

export interface Subscription {
  close(): void
}
