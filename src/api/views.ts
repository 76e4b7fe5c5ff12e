import { z } from 'zod'
import { featureStatus } from './features.ts'
import { time } from './operation.ts'
import { wordsSchema } from './words.ts'
import type { ReleaseView } from '../projections/releaseCatalogue.ts'
import type { RolloutView } from '../projections/rolloutHistory.ts'

export const phases = ['fetch', 'prepare', 'start', 'probe', 'switch', 'drain', 'stop'] as const

export const rolloutSchema = z.object({
  id: z.string(),
  service: z.string(),
  kind: z.enum(['deploy', 'rollback', 'restart', 'start', 'stop', 'remove']),
  release: z.string(),
  previous: z.string().nullable(),
  state: z.enum(['running', 'reverting', 'completed', 'reverted', 'aborted']),
  reason: z.string().nullable(),
  failedInstance: z.string().nullable(),
  startedAt: time,
  finishedAt: time.nullable(),
  prepare: z
    .object({
      machine: z.string(),
      instance: z.string().describe('the id under which its output is kept'),
      startedAt: time,
      finishedAt: time.nullable(),
    })
    .nullable()
    .default(null)
    .describe('when and where `prepare` ran; null: it did not run. Commands show it as a phase of that machine'),
  pins: z
    .object({
      secrets: z.record(z.string(), z.int()).optional().describe('version of each secret, by path'),
      config: z
        .object({
          version: z.int().nullable().describe('null: only defaults'),
          values: z.record(z.string(), z.string()),
        })
        .optional()
        .describe('the configuration'),
    })
    .optional()
    .describe('the things that instances get besides the release; left out: none'),
  machines: z.array(
    z.object({
      machine: z.string(),
      state: z.enum(['waiting', 'running', 'done', 'reverted', 'untouched', 'lost', 'behind', 'failed']),
      phases: z.array(z.object({ phase: z.enum(phases), startedAt: time, finishedAt: time.nullable() })),
    }),
  ),
}) satisfies z.ZodType<RolloutView>

/** Control characters in a subject stay: the commit is data, and each reader shows them as it shows other texts. */
export const sourceSchema = z.object({
  commit: z.string().regex(/^[0-9a-f]{40,64}$/, 'the full id of a commit'),
  subject: z.string().max(500).describe('first line of the message of the commit, possibly shortened'),
  dirty: z.boolean().describe('the folder had changes that are not in the commit'),
})

export const releaseSchema = z.object({
  release: z.string(),
  service: z.string(),
  bytes: z.number().describe('size of the unpacked tree'),
  publishedAt: time,
  by: z.string().nullable().default(null).describe('name of the token that published it; null: not recorded'),
  source: sourceSchema
    .nullable()
    .default(null)
    .describe('the commit in git that it was published from; null: not recorded, or not from a work tree'),
  collected: z.boolean(),
  completedAt: time.nullable(),
}) satisfies z.ZodType<ReleaseView>

export const machineSchema = z.object({
  name: z.string(),
  state: z.enum(['ready', 'draining', 'drained', 'lost']),
  traffic: z
    .enum(['ready', 'draining', 'drained'])
    .optional()
    .describe('the traffic state, also of a lost machine; an older controller does not send it'),
  lastSeen: time
    .nullable()
    .describe('when the machine last reported to this controller; null: not since the controller started'),
  host: z.string(),
  httpPort: z.int(),
  metricsPort: z.int().describe("port of /healthz and /metrics of the machine's agent"),
  metricsAddress: z
    .string()
    .optional()
    .describe('where /healthz and /metrics answer, on that machine only; an older controller does not send it'),
  version: z.string().nullable(),
  limits: z
    .string()
    .nullable()
    .describe('the limits that the machine does not enforce, and why; null: it enforces all'),
  problems: z.array(z.string()),
})

const accessSchema = z.object({
  route: z.string().describe('as in `routes`'),
  expose: z
    .enum(['public', 'local'])
    .describe("who may reach the route: everybody, or programs on the cluster's machines"),
  carries: z.enum(['http', 'tcp']),
  port: z.int().nullable().describe("the route's own port; null: the route answers at the entry"),
  address: z
    .string()
    .nullable()
    .describe('the one address on every machine where the route listens; null: all addresses'),
  unsaid: z.boolean().describe('the route is public only because its release is older than `expose`'),
})

export const instanceSchema = z.object({
  id: z.string(),
  machine: z.string(),
  release: z.string(),
  state: z.enum(['starting', 'ready', 'draining', 'stopped', 'failed']),
  port: z.int().nullable(),
  since: time.nullable(),
  pid: z.int().nullable(),
  restarts: z.int(),
  reason: z.string().nullable(),
  work: z.int().describe('requests and connections in flight'),
  stale: z
    .boolean()
    .default(false)
    .describe('its machine is lost, or has not reported since the controller started: all fields are as last seen'),
  asOf: time
    .nullable()
    .default(null)
    .describe('when the instance was last seen, if stale; null: before the controller started, or not stale'),
})

export const serviceSchema = z.object({
  service: z.string(),
  release: z.string().nullable(),
  state: z.enum(['running', 'stopped']),
  routes: z.array(z.string()).describe('as users would type them: host and path, or port'),
  access: z
    .array(accessSchema)
    .optional()
    .describe('who may reach each route, and where; an older controller does not send it'),
  uses: z
    .array(
      z.object({ service: z.string(), optional: z.boolean().describe('the definition says that it may be missing') }),
    )
    .optional()
    .describe('the services that it calls, as its definition says; an older controller does not send it'),
  secrets: z
    .array(
      z.object({
        path: z.string(),
        version: z.int().describe('with which it runs'),
        newest: z.int().nullable().describe('null: it was deleted'),
        rejected: z.boolean().default(false).describe('a rollout with the newest version was reverted'),
      }),
    )
    .optional()
    .describe('left out: none'),
  behind: z.array(z.string()).describe('machines that run another release'),
  rollout: rolloutSchema.nullable(),
  instances: z.array(instanceSchema),
})

export const statusSchema = z.object({
  cluster: z.string(),
  controller: z.object({
    version: z.string(),
    term: z.int(),
    position: z.int(),
    problems: z
      .array(z.string())
      .default([])
      .describe('why the controller refuses changes or pushes now, as on a full disk; empty: it accepts them'),
  }),
  machines: z.array(machineSchema),
  absent: z.array(z.string()).default([]).describe('machines of the cluster file that never reported'),
  ...featureStatus,
  services: z.array(serviceSchema),
})

export const eventSchema = z.object({
  position: z.int(),
  at: time,
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
  by: z
    .string()
    .nullable()
    .optional()
    .describe(
      'name of the token whose call led to the event, or the machine that reported it (`machine a`); null: not recorded; absent: Tandem decided it on its own',
    ),
  cause: z
    .int()
    .nullable()
    .optional()
    .describe('position of the event that it follows from; null: not recorded; absent: it follows from no event'),
  words: wordsSchema
    .extend({ isChange: z.boolean().describe('it changed something for users or for people on call') })
    .optional()
    .describe('the event as people read it; an older controller does not send it'),
})

export type ReleaseSource = z.infer<typeof sourceSchema>
export type Status = z.infer<typeof statusSchema>
export type EventView = z.infer<typeof eventSchema>
export type MachineStatus = Status['machines'][number]
export type { ReleaseView, RolloutView }
