import { z } from 'zod'
import { answerSchema } from '../protocol/ask.ts'
import { checkupSchema } from '../protocol/checkup.ts'
import { machineSettingsSchema } from '../definitions/machineSettings.ts'
import { reportSchema } from '../protocol/report.ts'
import { largeFeatureOperations } from './largeFeatures.ts'
import { flag, id, machine, moment, position, service, type Operation, type StreamOperation } from './operation.ts'
import { pastOperations } from './past.ts'
import { overviewOperations, overviewStreams } from './overview.ts'
import { smallOperations, smallStreams } from './smallCalls.ts'

const certificateRequest = z.object({ request: z.string().max(16_384).describe('PKCS #10, PEM') })
const joined = z.object({
  machine,
  certificate: z.string().describe('PEM'),
  authority: z.string().describe("the cluster's authority, PEM"),
  controllers: z.array(z.string()),
  settings: machineSettingsSchema,
})

const laterBoot = z
  .int()
  .nullable()
  .default(null)
  .describe(
    'the controller ignored the report, because it knows a later one: this is the start number in that one; null: it took the report in',
  )

/** Every call of the API except the streams (`streams`) and the object transfers, which are not JSON. */
export const operations = {
  ...smallOperations,
  ...overviewOperations,
  ...largeFeatureOperations,
  ...pastOperations,
  join: {
    ...{ method: 'POST', path: '/join', role: 'joiner', summary: "join the cluster: sign the machine's key" },
    body: certificateRequest,
    response: joined,
  },
  renew: {
    ...{ method: 'POST', path: '/agent/certificate', role: 'agent', summary: "renew a machine's certificate" },
    body: certificateRequest,
    response: joined,
  },
  report: {
    ...{ method: 'POST', path: '/agent/reports', role: 'agent', summary: 'take in a report of a machine' },
    body: reportSchema,
    response: z.object({
      position,
      laterBoot,
      /** The next report may be sent as a change of this one. Older controllers do not take changes. */
      takesChanges: z.boolean().default(false),
    }),
  },
} as const satisfies Record<string, Operation>

/** Server-sent events; `Last-Event-ID` is a log position where the messages have ids. */
export const streams = {
  ...smallStreams,
  ...overviewStreams,
  logs: {
    ...{ path: '/logs', role: 'reader', summary: 'output of the instances of a service, on all its machines' },
    query: z.object({
      service,
      machine: machine.optional(),
      instance: id.optional(),
      since: moment.optional(),
      last: z.coerce.number().int().min(1).max(100_000).optional(),
      follow: flag,
    }),
    data: answerSchema,
  },
  checkups: {
    ...{
      path: '/checkups',
      role: 'reader',
      summary: 'checkups of the controller and of each machine: problems, and the next step for each',
    },
    query: z.object({ machine: machine.optional() }),
    data: checkupSchema,
  },
} as const satisfies Record<string, StreamOperation>

export type Operations = typeof operations
export type OperationName = keyof Operations
export type Streams = typeof streams
export type StreamName = keyof Streams

type Shape<T, K extends string> = T extends { [_ in K]: infer S extends z.ZodType } ? S : never

/** The input of a caller; fields with defaults may be left out. */
export type Given<O> = ([Shape<O, 'params'>] extends [never] ? unknown : { params: z.input<Shape<O, 'params'>> }) &
  ([Shape<O, 'query'>] extends [never] ? unknown : { query?: z.input<Shape<O, 'query'>> }) &
  ([Shape<O, 'body'>] extends [never] ? unknown : { body: z.input<Shape<O, 'body'>> })

/** The input of a handler, parsed. */
export type Parsed<O> = {
  params: [Shape<O, 'params'>] extends [never] ? undefined : z.output<Shape<O, 'params'>>
  query: [Shape<O, 'query'>] extends [never] ? undefined : z.output<Shape<O, 'query'>>
  body: [Shape<O, 'body'>] extends [never] ? undefined : z.output<Shape<O, 'body'>>
}

export type Result<O extends { response: z.ZodType }> = z.output<O['response']>
