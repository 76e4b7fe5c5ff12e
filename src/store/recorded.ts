import type { NewEvent, RecordedEvent } from '../events/event.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** The events as the log keeps them when they are appended after `expected`, at `from` and the positions after it. */
export function recordedAt(
  expected: number,
  events: readonly NewEvent[],
  at: number,
  from = expected + 1,
): RecordedEvent[] {
  if (from <= expected) throw new Error('positions only grow')
  const time = new Date(at).toISOString()
  return events.map((event, index) => ({ ...event, position: from + index, at: time }))
}

export const moved = (expected: number, last: number): OperatorError =>
  new OperatorError('E_LOG_MOVED', `the event log ends at ${last}, not at ${expected}`, {
    subject: 'event log',
    next: 'make sure that only one controller uses this data folder, then restart that controller',
  })
