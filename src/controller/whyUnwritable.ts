import { statfsSync } from 'node:fs'
import type { OperatorError } from '../lib/operatorError.ts'

/** With less than this, what a person asks for next does not fit. */
const leastFreeBytes = 1_048_576
/** https://sqlite.org/rescode.html#full */
const sqliteFull = 13

/**
 * Why changes are refused now, and what to do, in words; `null`: they are not. `last`: why the last one could not be written.
 * `data`: where the event log is. Nothing may have been tried since the disk is full, or since there is room again.
 */
export function whyUnwritable(last: OperatorError | null, data: string): string | null {
  const { bsize, bavail } = statfsSync(data)
  const free = bsize * bavail
  const isFull = free < leastFreeBytes
  if (last && (isFull || !wasFull(last))) return withNext(last)
  if (!isFull) return null
  return `${free} bytes are left on the disk of ${data}, and what is asked for next may not fit; du -xh --max-depth=2 ${data}   shows what takes it`
}

const wasFull = ({ cause }: OperatorError): boolean =>
  cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteFull

export const withNext = ({ message, next }: OperatorError): string => (next ? `${message}; ${next}` : message)
