import { OperatorError } from '../lib/operatorError.ts'

/** For a reader that wants to continue from a position that the log never reached. */
export const beyondLog = (wanted: number, end: number): OperatorError =>
  new OperatorError('E_BEYOND_LOG', `position ${wanted} is beyond the end of this event log, which is ${end}`, {
    subject: 'event log',
    next: 'read without a position; if the log was restored from a backup: tandem controller recover',
  })
