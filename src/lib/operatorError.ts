import { errorCodes, type ErrorCode } from './errorCodes.ts'

/** What people are told: what happened (`message`), on what (`subject`), and what to do next (`next`). */
interface ErrorBody {
  code: ErrorCode
  message: string
  subject: string | null
  next: string | null
}

/**
 * The operator's error: the input or the moment is wrong, the program is not. It travels from any room to the command
 * line or the API as it is. The environment's errors are plain `Error`s with a `cause`; anything else is a bug.
 */
export class OperatorError extends Error {
  readonly code: ErrorCode
  readonly subject: string | null
  readonly next: string | null

  constructor(code: ErrorCode, message: string, about: { subject?: string; next?: string; cause?: unknown } = {}) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause })
    this.name = 'OperatorError'
    this.code = code
    this.subject = about.subject ?? null
    this.next = about.next ?? null
  }

  get exitCode(): number {
    return errorCodes[this.code].exit
  }

  get httpStatus(): number {
    return errorCodes[this.code].status
  }

  body(): ErrorBody {
    return { code: this.code, message: this.message, subject: this.subject, next: this.next }
  }
}
