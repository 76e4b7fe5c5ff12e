import { z } from 'zod'
import { differenceSchema } from '../protocol/difference.ts'
import { time, type Operation, type StreamOperation } from './operation.ts'
import { standingProblemSchema } from './standingProblem.ts'
import { statusSchema, type Status } from './views.ts'

const serviceSchema = statusSchema.shape.services.element
const instanceSchema = serviceSchema.shape.instances.element

/** An event of the log as people read it. */
export const changeSchema = z.object({
  position: z.int(),
  at: time,
  type: z.string(),
  sign: z.enum(['running', 'done', 'failed', 'reverted', 'moved', 'lost', 'warn', 'note']),
  subject: z.string().describe('a sentence is made of `subject` and `text`'),
  text: z.string(),
  service: z.string().nullable(),
  machine: z.string().nullable(),
  rollout: z.string().nullable(),
  instance: z.string().nullable(),
  by: z
    .string()
    .nullable()
    .describe('name of the token or machine whose call led to it; null: Tandem itself, or not recorded'),
})
export type ChangeView = z.infer<typeof changeSchema>

/** Everything that the overview shows: as a whole, then the differences from the state before. */
export const overviewSchema = statusSchema.extend({
  services: z.array(
    serviceSchema.extend({
      instances: z.array(instanceSchema.omit({ work: true })).describe('their work is in `work`, which changes often'),
    }),
  ),
  work: z.record(z.string(), z.int()).describe('requests and connections in flight, by instance'),
  wrong: z.array(standingProblemSchema).describe('what needs attention now, the most urgent first'),
  changes: z.array(changeSchema).describe('the newest changes, newest first'),
})
export type Overview = z.infer<typeof overviewSchema>

/** `at`: the time of the message by the clock of the controller. */
export const liveSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('whole'), at: time, overview: overviewSchema }),
  z.object({ kind: z.literal('change'), at: time, change: differenceSchema }),
  z.object({ kind: z.literal('beat'), at: time }).describe('a sign of life, every 5 s'),
])
export type Live = z.infer<typeof liveSchema>

export const overviewOperations = {
  overview: {
    ...{ method: 'GET', path: '/overview', role: 'reader', summary: 'the status, what is wrong now, what has changed' },
    response: overviewSchema,
  },
} as const satisfies Record<string, Operation>

export const overviewStreams = {
  live: {
    ...{ path: '/live', role: 'reader', summary: 'the overview, whole at first, then its differences as they come' },
    query: z.object({}),
    data: liveSchema,
  },
} as const satisfies Record<string, StreamOperation>

/** The status that an overview holds. */
export const statusIn = (overview: Overview): Status => ({
  ...statusSchema.parse({ ...overview, services: [] }),
  services: overview.services.map((service) => ({
    ...service,
    instances: service.instances.map((instance) => ({ ...instance, work: overview.work[instance.id] ?? 0 })),
  })),
})
