import type { ByteChannel } from '../lib/byteChannel.ts'
import type { Answer } from '../protocol/ask.ts'
import type { Report } from '../protocol/report.ts'
import type { ReportChange } from '../protocol/reportChange.ts'

/** A message of the controller, as it arrived. */
export interface Message {
  event: string
  /** JSON; an agent ignores an event that it does not know, whatever its data. */
  data: string
}

/** The controller's answer to a whole report. */
export interface ReportAnswer {
  /**
   * `null`: the controller took the report in. Otherwise it ignored the report, because it knows a later one: the start
   * number in that one.
   */
  laterBoot: number | null
  /** The next report may be a change of this one. */
  takesChanges: boolean
}

/**
 * An agent's way to its controller: HTTPS in production (httpConnection.ts), and in memory in tests, which delay, lose,
 * repeat and cut.
 */
export interface ControllerConnection {
  /** Ends when the controller ends the stream; throws when the controller is unreachable or silent. */
  messages: (signal: AbortSignal) => AsyncIterable<Message>
  /** Resolves once the controller has answered. */
  report: (report: Report, signal: AbortSignal) => Promise<ReportAnswer>
  /** Resolves once the controller has taken the change in, or needs the whole report. */
  reportChange: (change: ReportChange, signal: AbortSignal) => Promise<{ taken: boolean }>
  /** Resolves once the controller has the answer or wants no more of it. `null` is a sign of life. */
  answer: (id: string, answers: AsyncIterable<Answer | null>) => Promise<void>
  /** A call of a feature, JSON both ways: the feature knows its shape. */
  post: (path: string, body: object, signal: AbortSignal) => Promise<unknown>
  /** Opens this machine's end of the byte channel that waits for it. */
  channel: (id: string) => Promise<ByteChannel>
}
