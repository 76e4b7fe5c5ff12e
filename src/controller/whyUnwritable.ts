import { statfsSync } from 'node:fs'
import type { OperatorError } from '../lib/operatorError.ts'

/** With less free space than this, the next change may not fit. */
const leastFreeBytes = 1_048_576
/** https://sqlite.org/rescode.html#full */
const sqliteFull = 13

/**
 * Why changes are refused now, with the next step, in words; `null` when changes are accepted. `last` is the error of
 * the last append that failed, and `data` the folder of the event log. `last` may be out of date: perhaps no append was
 * tried since the disk became full, or since it has room again.
 */
export function whyUnwritable(last: OperatorError | null, data: string): string | null {
  const { bsize, bavail } = statfsSync(data)
  const free = bsize * bavail
  const isFull = free < leastFreeBytes
  if (last && (isFull || !wasFull(last))) return withNext(last)
  if (!isFull) return null
  return `only ${free} bytes are left on the disk of ${data}, and the next change may not fit; du -xh --max-depth=3 $(stat -c %m ${data}) | sort -h | tail   shows what uses the space`
}

const wasFull = ({ cause }: OperatorError): boolean =>
  cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteFull

export const withNext = ({ message, next }: OperatorError): string => (next ? `${message}; ${next}` : message)
