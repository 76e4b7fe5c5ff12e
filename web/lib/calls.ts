import type { OperationName, Operations, StreamName } from '../../src/api/contract.ts'

/** The call `startSession`, apart from the others: the page's first lines have no room for those. */
export const signInCall = ['POST', '/sessions'] as const

/** The calls that the page makes. A test compares each with the contract, of which the page has only the types. */
export const calls = {
  abortRollout: 'POST /rollouts/:id/abort',
  changeConfig: 'POST /services/:service/config',
  checks: 'GET /checks',
  drainMachine: 'POST /machines/:machine/drain',
  endSession: 'POST /session/end',
  endTail: 'POST /live/:stream/tails/:tail/end',
  findEvents: 'GET /events/search',
  inviteMachine: 'POST /machines/:machine/invitations',
  lastWords: 'GET /last-words/:instance',
  map: 'GET /map',
  numbersSeries: 'GET /numbers/series',
  openTail: 'POST /live/:stream/tails',
  pastOverview: 'GET /past/overview',
  pastReleases: 'GET /past/releases',
  pastRollout: 'GET /past/rollouts/:id',
  pastRollouts: 'GET /past/rollouts',
  readyMachine: 'POST /machines/:machine/ready',
  releaseDefinition: 'GET /services/:service/releases/:release/definition',
  releases: 'GET /releases',
  rollbackConfig: 'POST /services/:service/config/rollback',
  rollout: 'GET /rollouts/:id',
  rolloutNumbers: 'GET /rollouts/:id/numbers',
  rollouts: 'GET /rollouts',
  secretVersions: 'GET /secrets/:path/versions',
  serviceConfig: 'GET /services/:service/config',
  session: 'GET /session',
  startRollout: 'POST /rollouts',
} as const satisfies Partial<Record<OperationName, `${'GET' | 'POST'} /${string}`>>

export const streams = {
  live: '/live',
  logs: '/logs',
} as const satisfies Partial<Record<StreamName, `/${string}`>>

export type CallName = keyof typeof calls

/** Calls that change something, and can be a dry run. */
export type ChangeName = { [N in CallName]: Operations[N] extends { dryRun: true } ? N : never }[CallName]
