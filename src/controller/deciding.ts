import type { RecordedEvent } from '../events/event.ts'
import type { Request } from './controller.ts'

/** A call that decides one request. A dry run of it only decides. */
export interface Deciding<R> {
  /** Reads what the request needs from elsewhere, before the turn. */
  before?: () => Promise<void>
  /** Makes the request, or throws the refusal. Runs in the turn that decides the request. */
  request: () => Request
  /** Makes the answer once the events are recorded. */
  answer: (events: readonly RecordedEvent[]) => R | Promise<R>
}
