import { OperatorError } from '../lib/operatorError.ts'

/**
 * The error of a call that an older controller does not have, in words. `lacks`: "no page". Any other error stays as it
 * is.
 */
export function tooOld(
  error: unknown,
  url: string,
  lacks: string,
  next = 'tandem status   shows its version; tandem upgrade   upgrades it',
): unknown {
  if (!(error instanceof OperatorError && error.code === 'E_NOT_FOUND')) return error
  return new OperatorError('E_NO_ABILITY', `the version of the controller at ${url} has ${lacks}`, {
    subject: url,
    next,
  })
}
