import { z } from 'zod'
import { featureOperations } from './features.ts'
import {
  atLeast,
  flag,
  id,
  machine,
  position,
  releasePrefix,
  service,
  type Operation,
  type StreamOperation,
} from './operation.ts'
import { eventSchema, releaseSchema, rolloutSchema, sourceSchema, statusSchema } from './views.ts'

/*
 * The calls and streams that most commands make. They load only these: the others carry definitions, reports and answers
 * of machines, or numbers, whose descriptions cost 50 ms.
 */

const eventFilter = {
  service: service.optional(),
  machine: machine.optional(),
  rollout: id.optional().describe('its events, and the work on its service while it ran'),
  type: z
    .string()
    .regex(/^[A-Za-z]{1,60}(,[A-Za-z]{1,60}){0,99}$/, 'types of events, with commas between them')
    .optional()
    .describe('one or more types of events, with commas between them'),
  by: z.string().max(200).optional().describe('name of the token or machine whose call led to it'),
  changes: flag.describe('only events that changed something for users or for people on call'),
  people: flag.describe('only events that a call with a token led to, not those of machines or of Tandem itself'),
  failures: flag.describe('only events of failures: something failed, was lost, or went back'),
}

const startRolloutBody = z.object({
  service,
  kind: z.enum(['deploy', 'rollback', 'restart', 'start', 'stop', 'remove']),
  release: releasePrefix
    .nullable()
    .default(null)
    .describe('a release id or an unambiguous prefix; required for deploy'),
  allowOutage: z.boolean().default(false),
  removeData: z.boolean().default(false),
  withConfig: z.boolean().default(false).describe('rollback: also with the configuration that the release had'),
  withSecrets: z.boolean().default(false).describe('rollback: also with the versions of secrets that it had'),
  force: z.boolean().default(false).describe('remove the service although others use it'),
})

export const smallOperations = {
  status: {
    ...{ method: 'GET', path: '/status', role: 'reader', summary: 'services, releases, machines, instances, rollouts' },
    query: z.object({ atLeast }),
    response: statusSchema,
  },
  rollouts: {
    ...{ method: 'GET', path: '/rollouts', role: 'reader', summary: 'history of rollouts, newest last' },
    query: z.object({
      service: service.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      atLeast,
    }),
    response: z.object({ rollouts: z.array(rolloutSchema) }),
  },
  rollout: {
    ...{ method: 'GET', path: '/rollouts/:id', role: 'reader', summary: 'one rollout, by id or unambiguous prefix' },
    params: z.object({ id }),
    query: z.object({ atLeast }),
    response: rolloutSchema,
  },
  startRollout: {
    dryRun: true,
    ...{ method: 'POST', path: '/rollouts', role: 'operator', summary: 'start a rollout' },
    body: startRolloutBody,
    response: z.object({
      position,
      release: id,
      previous: id.nullable(),
      rollout: rolloutSchema.nullable().describe('null: nothing to do, the requested release already runs'),
      warnings: z.array(z.string()).default([]).describe('doubtful things about the release, in words'),
    }),
  },
  abortRollout: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/rollouts/:id/abort',
      role: 'operator',
      summary: 'abort a rollout: return to the previous release',
    },
    params: z.object({ id }),
    response: z.object({ position, rollout: id }),
  },
  releases: {
    ...{ method: 'GET', path: '/releases', role: 'reader', summary: 'published releases, oldest first' },
    query: z.object({ service: service.optional(), atLeast }),
    response: z.object({ releases: z.array(releaseSchema) }),
  },
  findEvents: {
    ...{
      method: 'GET',
      path: '/events/search',
      role: 'reader',
      summary: 'events that match, newest first: page backwards with `before` = `next`',
    },
    query: z.object({
      ...eventFilter,
      cause: z.coerce.number().int().positive().optional().describe('events that follow directly from this position'),
      follows: z.coerce
        .number()
        .int()
        .positive()
        .optional()
        .describe(
          'the event at this position and those that follow from it, directly or through others; at most 1,000',
        ),
      after: z.coerce.number().int().nonnegative().default(0).describe('only events after this position'),
      before: z.coerce.number().int().positive().optional().describe('only events before this position'),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
      atLeast,
    }),
    response: z.object({
      events: z.array(eventSchema),
      next: z
        .int()
        .nullable()
        .describe('go on with before=NEXT, also if there are fewer events than `limit`; null: there are no older ones'),
      position: z.int().describe('the end of the log'),
    }),
  },
  missingObjects: {
    ...{
      method: 'POST',
      path: '/objects/missing',
      role: 'operator',
      summary: 'report which of these objects the store lacks',
    },
    body: z.object({ keys: z.array(z.string().max(80)).max(1_000) }),
    response: z.object({ missing: z.array(z.string()) }),
  },
  publishRelease: {
    ...{
      method: 'POST',
      path: '/releases',
      role: 'operator',
      summary: 'publish a release whose objects are all uploaded',
    },
    body: z.object({
      manifest: z.string().max(1_048_576).describe('the manifest object, byte for byte'),
      source: sourceSchema.nullable().default(null).describe('the commit in git that the folder was at'),
    }),
    response: z.object({ position, service, release: id, fresh: z.boolean() }),
  },
  drainMachine: {
    dryRun: true,
    ...{ method: 'POST', path: '/machines/:machine/drain', role: 'operator', summary: 'take a machine out of traffic' },
    params: z.object({ machine }),
    body: z.object({
      force: z.boolean().default(false),
      stop: z.boolean().default(false).describe('also stop the instances on the machine'),
    }),
    response: z.object({ position }),
  },
  readyMachine: {
    dryRun: true,
    ...{ method: 'POST', path: '/machines/:machine/ready', role: 'operator', summary: 'put a machine back in traffic' },
    params: z.object({ machine }),
    response: z.object({ position }),
  },
  inviteMachine: {
    ...{
      method: 'POST',
      path: '/machines/:machine/invitations',
      role: 'operator',
      summary: 'create a token with which a machine of the cluster file joins, once, within one hour',
    },
    params: z.object({ machine }),
    response: z.object({
      token: z.string(),
      expiresAt: z.string(),
      pin: z.string().describe("SHA-256 of the authority's certificate, hex"),
      controllers: z.array(z.string()),
      joined: z
        .boolean()
        .default(false)
        .describe('the machine has joined already: only its key for secrets is made again'),
      program: z
        .string()
        .nullable()
        .default(null)
        .describe('id of the release of Tandem that an upgrade brought to it; null: it runs the installed program'),
    }),
  },
  tokens: {
    ...{ method: 'GET', path: '/tokens', role: 'operator', summary: 'all tokens, without their secrets' },
    response: z.object({
      tokens: z.array(
        z.object({
          id,
          role: z.enum(['operator', 'reader', 'agent']),
          machine: z.string().nullable(),
          name: z.string(),
          createdAt: z.string(),
        }),
      ),
    }),
  },
  createToken: {
    ...{
      method: 'POST',
      path: '/tokens',
      role: 'operator',
      summary: 'create a token; the answer is the only place that shows it',
    },
    body: z.object({
      role: z.enum(['operator', 'reader', 'agent']),
      machine: machine.nullable().default(null).describe('required for an agent: the machine that it speaks for'),
      name: z
        .string()
        .min(1)
        .max(200)
        .describe('does not begin with "machine ", as events name a machine that reports'),
    }),
    response: z.object({ token: z.string() }),
  },
  revokeToken: {
    ...{ method: 'POST', path: '/tokens/:id/revoke', role: 'operator', summary: 'revoke a token' },
    params: z.object({ id: z.string().regex(/^[0-9a-f]{6,64}$/) }),
    response: z.object({ revoked: z.int() }),
  },
  openCommand: {
    ...{
      method: 'POST',
      path: '/services/:service/commands',
      role: 'operator',
      summary: "prepare a one-off command with a service's release; it runs once a caller connects to its byte channel",
    },
    params: z.object({ service }),
    body: z.object({
      argv: z
        .array(z.string().max(131_072))
        .min(1)
        .max(1_000)
        .describe('the program and its arguments; no shell interprets them'),
      machine: machine.nullable().default(null).describe('null: the first reachable machine'),
    }),
    response: z.object({
      channel: id.describe('GET /channels/{channel} with `Upgrade: tandem-channel`, within 30 s'),
      machine,
      instance: id,
    }),
  },
  recover: {
    dryRun: true,
    ...{
      method: 'POST',
      path: '/controller/recover',
      role: 'operator',
      summary: 'adopt the instances that machines run, after the log was lost',
    },
    body: z.object({
      without: z.array(machine).optional().describe('machines that are gone for good: what they ran is not adopted'),
    }),
    response: z.object({ position, term: z.int(), adopted: z.array(z.string()) }),
  },
  ...featureOperations,
} as const satisfies Record<string, Operation>

export const smallStreams = {
  events: {
    ...{ path: '/events', role: 'reader', summary: 'the event log, with new events as they happen if requested' },
    query: z.object({ ...eventFilter, after: z.coerce.number().int().nonnegative().default(0), follow: flag }),
    data: eventSchema,
  },
  watchRollout: {
    ...{ path: '/rollouts/:id/watch', role: 'reader', summary: 'a rollout at each of its changes, until it ends' },
    params: z.object({ id }),
    query: z.object({}),
    data: rolloutSchema,
  },
} as const satisfies Record<string, StreamOperation>
