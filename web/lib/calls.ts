import type { OperationName, StreamName } from '../../src/api/contract.ts'

/** The calls that the page makes. A test compares each with the contract, of which the page has only the types. */
export const calls = {
  endTail: 'POST /live/:stream/tails/:tail/end',
  openTail: 'POST /live/:stream/tails',
  endSession: 'POST /session/end',
  findEvents: 'GET /events/search',
  session: 'GET /session',
  startSession: 'POST /sessions',
} as const satisfies Partial<Record<OperationName, `${'GET' | 'POST'} /${string}`>>

export const streams = {
  live: '/live',
} as const satisfies Partial<Record<StreamName, `/${string}`>>

export type CallName = keyof typeof calls
