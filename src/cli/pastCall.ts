import type { ApiClient } from '../api/client.ts'
import type { Given, OperationName, Operations, Result } from '../api/contract.ts'
import { newerCall } from './tooOld.ts'

type PastCall = Extract<OperationName, `past${string}`>

/** A call that reads the past. */
export const pastCall = <N extends PastCall>(
  client: ApiClient,
  name: N,
  given: Given<Operations[N]>,
  signal: AbortSignal,
): Promise<Result<Operations[N]>> => newerCall(client, name, given, { lacks: 'no states of the past', signal })
