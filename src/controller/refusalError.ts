import type { Refusal } from '../decision/refuse.ts'
import { OperatorError } from '../lib/operatorError.ts'

/** Turns a decision's refusal into the error that users see. */
export function refusalError({ code, message, subject, next }: Refusal): OperatorError {
  return new OperatorError(code, message, { subject, next })
}

/** Throws the refusal; returns any other answer. */
export function unlessRefused<T extends { type: string } | null>(answer: T): Exclude<T, Refusal> {
  if (isRefusal(answer)) throw refusalError(answer)
  return answer as Exclude<T, Refusal> // checked above
}

const isRefusal = (answer: { type: string } | Refusal | null): answer is Refusal => answer?.type === 'refused'
