import { errorCodes, type ErrorCode } from '../lib/errorCodes.ts'
import { OperatorError } from '../lib/operatorError.ts'

interface Ending {
  code: number | null
  signal: string | null
  /** The end of the child's output. */
  tail: string
  logFile: string
}

/** Why a child ended: the error it printed (`--json`: a line on stdout) if any, else its exit status or signal. */
export function childFailure(name: string, { code, signal, tail, logFile }: Ending): OperatorError {
  const told = toldError(tail)
  if (told) {
    const { code: known, message, subject, next } = told
    return new OperatorError(known, `${name}: ${message}`, {
      ...(subject === null ? {} : { subject }),
      next: next ?? `tail ${logFile}   shows its log`,
    })
  }
  const how = signal === null ? `exited with status ${code}` : `was ended by ${signal}`
  return new OperatorError('E_ENVIRONMENT', `${name} ${how}`, {
    subject: logFile,
    next: `tail ${logFile}   shows its log`,
  })
}

interface Told {
  code: ErrorCode
  message: string
  subject: string | null
  next: string | null
}

function toldError(tail: string): Told | null {
  for (const line of tail.split('\n').toReversed()) {
    if (!line.startsWith('{"error":')) continue
    try {
      const { error } = JSON.parse(line) as { error: Partial<Told> } // checked next
      const { code, message, subject = null, next = null } = error
      if (code !== undefined && code in errorCodes && message !== undefined) return { code, message, subject, next }
    } catch {
      continue // an incomplete line
    }
  }
  return null
}
