import { z } from 'zod'
import { differenceSchema } from '../protocol/difference.ts'
import { time, type Operation, type StreamOperation } from './operation.ts'
import { standingProblemSchema } from './standingProblem.ts'
import { tailItemSchema } from './tails.ts'
import { statusSchema, type Status } from './views.ts'
import { wordsSchema } from './words.ts'

const serviceSchema = statusSchema.shape.services.element
const instanceSchema = serviceSchema.shape.instances.element

/** An event of the log as people read it. */
export const changeSchema = wordsSchema.extend({
  position: z.int(),
  at: time,
  type: z.string(),
  by: z
    .string()
    .nullable()
    .describe(
      'name of the token whose call led to it; null: a machine reported it, Tandem decided it, or it is not recorded',
    ),
})
export type ChangeView = z.infer<typeof changeSchema>

const share = z.number().nullable().describe('0 to 1; null: not known')

/** Numbers of a service on one machine, over the last 60 s. */
const cellSchema = z.object({
  perSecond: z.number().nullable().describe('answers and TCP connections; null: not known yet'),
  errors: share.describe('share of errors, also of the balancer itself; null: no request, or not known yet'),
  held: z.int().describe('requests and connections that wait for an instance'),
})

const loadSchema = z.object({
  ...{ cpu: share, memory: share, disk: share },
  missing: z.string().nullable().describe('why the machine reports no numbers, in words; null: it does'),
})

const certificateSchema = z.object({
  name: z.string().nullable().describe('the first name that it is for; null: the own ones, which Tandem renews'),
  machines: z.array(z.string()).describe('those that have it; `(controller)`: the controller'),
  until: time.describe('end of its validity: the earliest, where machines have several'),
  asOf: time.describe('when it was seen: the oldest checkup of these'),
})
export type CertificateView = z.infer<typeof certificateSchema>

const checkedSchema = z.object({
  machine: z.string().describe('`(controller)`: the controller itself'),
  at: time,
  areas: z.int().describe('number of areas that were checked'),
  wrong: z.int().describe('number of problems found'),
})

const storeSchema = z.object({
  releases: z.int(),
  usedBytes: z.int(),
  capBytes: z.int().nullable().describe('most bytes that it may hold; null: as many as the disk'),
})
export type StoreUsage = z.infer<typeof storeSchema>

/** Everything that the overview shows: as a whole, then the differences from the state before. */
export const overviewSchema = statusSchema.extend({
  services: z.array(
    serviceSchema.extend({
      instances: z.array(instanceSchema.omit({ work: true })).describe('their work is in `work`, which changes often'),
    }),
  ),
  work: z.record(z.string(), z.int()).describe('requests and connections in flight, by instance'),
  load: z.record(z.string(), loadSchema).describe('by machine'),
  cells: z.record(z.string(), cellSchema).describe('by service and machine: SERVICE MACHINE'),
  rates: z
    .record(z.string(), z.number().nullable())
    .describe('answers a second, by instance, where a machine has more than one of the service'),
  wrong: z.array(standingProblemSchema).describe('what needs attention now, the most urgent first'),
  changes: z.array(changeSchema).describe('the newest changes, newest first'),
  certificates: z
    .array(certificateSchema)
    .default([])
    .describe('as the newest checkups found them, those first that end first'),
  checkups: z
    .array(checkedSchema)
    .default([])
    .describe('the newest checkups, which the controller makes at least every 5 minutes'),
  store: storeSchema.nullable().default(null).describe('the release store; null: an older controller'),
})
export type Overview = z.infer<typeof overviewSchema>

/** `at`: the time of the message by the clock of the controller. */
export const liveSchema = z.discriminatedUnion('kind', [
  z.object({
    ...{ kind: z.literal('whole'), at: time, overview: overviewSchema },
    stream: z.string().nullable().default(null).describe('the id of this stream, to add tails to it'),
  }),
  z.object({ kind: z.literal('change'), at: time, change: differenceSchema }),
  z.object({ kind: z.literal('beat'), at: time }).describe('a sign of life, every 5 s'),
  z
    .object({ kind: z.literal('tail'), at: time, tail: z.string(), items: z.array(tailItemSchema) })
    .describe('output of a tail that was added to the stream'),
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
