import type { ErrorCode } from '../lib/errorCodes.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** A decision's refusal as the error that people meet. */
export function refusalError(refusal: {
  code: ErrorCode
  message: string
  subject: string
  next: string
}): OperatorError {
  const { code, message, subject, next } = refusal
  return new OperatorError(code, message, { subject, next })
}
