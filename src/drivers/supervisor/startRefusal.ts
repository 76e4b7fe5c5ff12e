import { OperatorError } from '../../lib/operatorError.ts'

export function alreadyRunning(id: string): OperatorError {
  const about = { subject: id, next: 'stop it first' }
  return new OperatorError('E_INSTANCE_RUNNING', `instance ${id} is already running`, about)
}

/** The reason why an instance did not start, for its own log. */
export function whyNotStarted(error: unknown): string {
  if (error instanceof OperatorError) {
    const { message, subject, next } = error
    // A subject that the message names already would read as a second name.
    const about = subject === null || message.includes(subject) ? '' : ` (${subject})`
    return `${message}${about}${next === null ? '' : `; ${next}`}`
  }
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
