import { z } from 'zod'
import { errorCodes, type ErrorCode } from '../lib/errorCodes.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** RFC 9457 problem details, with our code, subject and next step. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  subject: z.string().nullable(),
  next: z.string().nullable(),
})
export type Problem = z.infer<typeof problemSchema>

export const problemMediaType = 'application/problem+json'

export function toProblem(error: OperatorError): Problem {
  return {
    type: `urn:tandem:error:${error.code}`,
    title: errorCodes[error.code].means,
    status: error.httpStatus,
    detail: error.message,
    code: error.code,
    subject: error.subject,
    next: error.next,
  }
}

/** A controller newer than this program may send an unknown code: then the HTTP status decides. */
export function fromProblem(problem: Problem): OperatorError {
  const code = problem.code in errorCodes ? (problem.code as ErrorCode) : codeFor(problem.status) // checked by `in`
  return new OperatorError(code, problem.detail, {
    ...(problem.subject === null ? {} : { subject: problem.subject }),
    ...(problem.next === null ? {} : { next: problem.next }),
  })
}

function codeFor(status: number): ErrorCode {
  if (status === 401) return 'E_UNAUTHORIZED'
  if (status === 403) return 'E_FORBIDDEN'
  if (status >= 500) return 'E_BUG'
  return 'E_USAGE'
}
