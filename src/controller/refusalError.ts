import type { ErrorCode } from '../lib/errorCodes.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** Turns a decision's refusal into the error that users see. */
export function refusalError(refusal: {
  code: ErrorCode
  message: string
  subject: string
  next: string
}): OperatorError {
  const { code, message, subject, next } = refusal
  return new OperatorError(code, message, { subject, next })
}
