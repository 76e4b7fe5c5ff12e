import { z } from 'zod'
import { errorCodes, type ErrorCode } from '../lib/errorCodes.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** Each connection carries one line of JSON each way, then ends. */
export const wireLimits = {
  /** Longest request; the environment and arguments of an instance are the longest. */
  requestBytes: 4 * 1024 * 1024,
  answerBytes: 1024 * 1024,
  /** Time within which a complete request must have arrived. */
  requestMs: 10_000,
  /**
   * Most connections at once; further ones are closed. Each start or stop of an instance holds one connection until it
   * is done.
   */
  connections: 256,
} as const

export const requestSchema = z.strictObject({ operation: z.string().max(60), arguments: z.unknown() })

const failureSchema = z.object({
  code: z.string().nullable(),
  message: z.string(),
  subject: z.string().nullable(),
  next: z.string().nullable(),
})
export const answerSchema = z.union([z.object({ value: z.unknown() }), z.object({ error: failureSchema })])

const messageChars = 4_000

export function failureOf(error: unknown): z.infer<typeof failureSchema> {
  if (error instanceof OperatorError) return error.body()
  const message = (error instanceof Error ? error.message : String(error)).slice(0, messageChars)
  return { code: null, message, subject: null, next: null }
}

/** Makes the same kind of error as the other side threw. */
export function errorFrom({ code, message, subject, next }: z.infer<typeof failureSchema>): Error {
  if (code === null || !(code in errorCodes)) return new Error(message)
  const about = { ...(subject === null ? {} : { subject }), ...(next === null ? {} : { next }) }
  return new OperatorError(code as ErrorCode, message, about) // looked up right above
}
