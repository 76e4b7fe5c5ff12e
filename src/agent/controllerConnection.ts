import type { ByteChannel } from '../lib/byteChannel.ts'
import type { Answer } from '../protocol/ask.ts'
import type { Report } from '../protocol/report.ts'

/** A message of the controller, as it arrived. */
export interface Message {
  event: string
  /** JSON; an agent ignores an event that it does not know, whatever its data. */
  data: string
}

/**
 * An agent's way to its controller: HTTPS in production (httpConnection.ts), and in memory in tests, which delay, lose,
 * repeat and cut.
 */
export interface ControllerConnection {
  /** Ends when the controller ends the stream; throws when the controller is unreachable or silent. */
  messages: (signal: AbortSignal) => AsyncIterable<Message>
  /**
   * Resolves once the controller has taken the report in, or ignored it because the machine has reported a later start
   * already: with the number of that start, or `null`.
   */
  report: (report: Report, signal: AbortSignal) => Promise<number | null>
  /** Resolves once the controller has the answer or wants no more of it. `null` is a sign of life. */
  answer: (id: string, answers: AsyncIterable<Answer | null>) => Promise<void>
  /** Opens this machine's end of the byte channel that waits for it. */
  channel: (id: string) => Promise<ByteChannel>
}
