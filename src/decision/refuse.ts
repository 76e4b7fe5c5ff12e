import type { Event } from '../events/event.ts'
import type { ErrorCode } from '../lib/errorCodes.ts'

export type Decision =
  /** `from`: the position of the first event, where a gap is left in the log on purpose. */
  | { type: 'accepted'; events: Event[]; from?: number }
  /** Nothing to do: the requested state already holds. */
  | { type: 'nothing' }
  | Refusal

export interface Refusal {
  type: 'refused'
  code: ErrorCode
  message: string
  subject: string
  next: string
}

export const accepted = (...events: Event[]): Decision => ({ type: 'accepted', events })

export function refuse(code: ErrorCode, message: string, subject: string, next: string): Refusal {
  return { type: 'refused', code, message, subject, next }
}
