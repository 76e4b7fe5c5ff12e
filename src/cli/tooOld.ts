import type { ApiClient } from '../api/client.ts'
import type { Given, OperationName, Operations, Result } from '../api/contract.ts'
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

/** A call that an older controller does not have. `lacks`: as for `tooOld`. */
export async function newerCall<N extends OperationName>(
  client: ApiClient,
  name: N,
  given: Given<Operations[N]>,
  { lacks, signal }: { lacks: string; signal: AbortSignal },
): Promise<Result<Operations[N]>> {
  try {
    return await client.call(name, given, signal)
  } catch (error) {
    throw tooOld(error, client.endpoint.url, lacks)
  }
}
