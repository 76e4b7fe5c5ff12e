import type { ApiClient } from '../api/client.ts'
import type { Given, OperationName, Operations, Result } from '../api/contract.ts'
import { tooOld } from './tooOld.ts'

type PastCall = Extract<OperationName, `past${string}`>

/** A call that reads the past. */
export async function pastCall<N extends PastCall>(
  client: ApiClient,
  name: N,
  given: Given<Operations[N]>,
  signal: AbortSignal,
): Promise<Result<Operations[N]>> {
  try {
    return await client.call(name, given, signal)
  } catch (error) {
    throw tooOld(error, client.endpoint.url, 'no states of the past')
  }
}
