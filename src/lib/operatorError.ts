import { errorCodes, type ErrorCode } from './errorCodes.ts'

/** Content of an error for people: what happened (`message`), to what (`subject`), and the next step (`next`). */
interface ErrorBody {
  code: ErrorCode
  message: string
  subject: string | null
  next: string | null
}

/**
 * An error that the operator can fix: the input or the moment is wrong, not the program. It travels unchanged from any
 * module to the command line or the API. Errors of the environment are plain `Error`s with a `cause`; anything else is
 * a bug.
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
