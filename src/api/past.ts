import { z } from 'zod'
import { changeSchema } from './overview.ts'
import { standingProblemSchema } from './standingProblem.ts'
import { atLeast, id, service, time, type Operation } from './operation.ts'
import {
  instanceSchema,
  machineSchema,
  releaseSchema,
  rolloutSchema,
  serviceSchema,
  statusSchema,
  type Status,
} from './views.ts'

/** Says that an answer is of the past. */
const asOfSchema = z.object({
  position: z.int().describe('the state is the one after this position of the event log'),
  at: time.nullable().describe('when that event happened; null: before the first event'),
})

const notRecorded = 'not recorded in the event log'

/**
 * The status as it was after an earlier event. The log does not hold everything that machines report: those fields are
 * null, and never those of the present.
 */
const pastStatusSchema = statusSchema.extend({
  asOf: asOfSchema,
  controller: statusSchema.shape.controller.extend({
    version: z.string().nullable().describe('version of the controller then; null: none had started'),
    problems: z.null().describe(notRecorded),
  }),
  machines: z.array(
    machineSchema.extend({ limits: z.null().describe(notRecorded), problems: z.null().describe(notRecorded) }),
  ),
  services: z.array(
    serviceSchema.extend({
      instances: z.array(
        instanceSchema.extend({
          port: z.null().describe(notRecorded),
          restarts: z.null().describe(notRecorded),
          work: z.null().describe(notRecorded),
        }),
      ),
    }),
  ),
})

export type PastStatus = z.infer<typeof pastStatusSchema>

/**
 * A status of the past in the form of a present one, for views that both share. Fields that the log does not hold have
 * no meaning in it: a reader must not show them.
 */
export function asStatus(past: PastStatus): Status {
  const { controller, machines, services } = past
  return {
    ...past,
    controller: { ...controller, version: controller.version ?? 'not started', problems: [] },
    machines: machines.map((machine) => ({ ...machine, problems: [] })),
    services: services.map((service) => ({
      ...service,
      instances: service.instances.map((instance) => ({ ...instance, restarts: 0, work: 0 })),
    })),
  }
}

const at = z
  .string()
  .regex(/^(\d{1,16}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}[^\s]*)$/, 'a position of the event log, or a time (ISO 8601)')
  .describe('a position of the event log, or a time (ISO 8601): the last event up to then counts')

/** The past has addresses of its own: everything here only reads. */
export const pastOperations = {
  pastStatus: {
    ...{ method: 'GET', path: '/past/status', role: 'reader', summary: 'the status as it was at a position or time' },
    query: z.object({ at, atLeast }),
    response: pastStatusSchema,
  },
  pastOverview: {
    ...{ method: 'GET', path: '/past/overview', role: 'reader', summary: 'the overview as it was then' },
    query: z.object({ at, atLeast }),
    response: pastStatusSchema.extend({
      wrong: z.array(standingProblemSchema).describe('what needed attention, without next steps'),
      changes: z.array(changeSchema).describe('the newest changes up to then, newest first'),
    }),
  },
  pastRollouts: {
    ...{ method: 'GET', path: '/past/rollouts', role: 'reader', summary: 'the history of rollouts as it was then' },
    query: z.object({
      at,
      service: service.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      atLeast,
    }),
    response: z.object({ asOf: asOfSchema, rollouts: z.array(rolloutSchema) }),
  },
  pastRollout: {
    ...{ method: 'GET', path: '/past/rollouts/:id', role: 'reader', summary: 'one rollout as it was then' },
    params: z.object({ id }),
    query: z.object({ at, atLeast }),
    response: z.object({ asOf: asOfSchema, rollout: rolloutSchema }),
  },
  pastReleases: {
    ...{ method: 'GET', path: '/past/releases', role: 'reader', summary: 'the published releases as they were then' },
    query: z.object({ at, service: service.optional(), atLeast }),
    response: z.object({ asOf: asOfSchema, releases: z.array(releaseSchema) }),
  },
} as const satisfies Record<string, Operation>
