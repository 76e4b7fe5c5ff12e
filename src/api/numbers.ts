import { z } from 'zod'
import { id, machine, moment, service, time, type Operation } from './operation.ts'

const count = z.number().nonnegative()
const share = z.number().min(0).max(1)
const answers = z
  .tuple([count, count, count, count, count])
  .describe('by class of the status: 1xx (protocols switched, and interim answers), 2xx, 3xx, 4xx, 5xx')
const perSecond = count
  .nullable()
  .describe('answers from 2xx on, and TCP connections, a second, over the last 60 s; null: not known yet')
const errors = share
  .nullable()
  .describe('share of errors in the last 60 s, 0 to 1; null: there was no request, or it is not known yet')

const instanceFigures = z.object({
  instance: z.string(),
  inFlight: count.describe('requests, WebSockets and TCP connections in progress'),
  perSecond,
  errors: errors.describe('5xx, and connections that failed or ended without an answer'),
  answers,
  connections: count.describe('TCP connections that reached the instance'),
  failed: count.describe('connections that the instance refused, or ended before its answer began'),
})

const serviceFigures = z.object({
  service,
  machine,
  perSecond,
  errors: errors.describe('5xx of the instances here, and of the balancer itself'),
  own: answers.describe('answers that the balancer made itself: no instance, a limit, no answer of the instance'),
  retries: count,
  held: count.describe('requests and connections that wait for an instance'),
  instances: z.array(instanceFigures),
})

const used = z.object({ usedBytes: count, totalBytes: count }).nullable()

const machineFigures = z.object({
  machine,
  asOf: time.nullable().describe('when these figures were read; null: the machine has reported none'),
  missing: z.string().nullable().describe('why the machine reports no figures now, in words; null: it does'),
  cpu: share.nullable().describe('share of all processors that is busy'),
  memory: used,
  disk: used.describe("the file system of the agent's data"),
})

export const numbersSchema = z.object({
  at: time,
  machines: z.array(machineFigures),
  services: z
    .array(serviceFigures)
    .describe('a row for each service and machine; totals grow since the agent there has begun to count'),
})

const column = z.array(z.number())
const at = column.describe('ms since 1970, at the end of each interval')

export const numbersSeriesSchema = z.object({
  service: service.nullable(),
  machines: z.array(
    z.object({
      ...{ machine, at, cpu: z.array(share.nullable()) },
      memory: z.array(share.nullable()).describe('share that is used'),
      disk: z.array(share.nullable()).describe('share that is used'),
    }),
  ),
  instances: z
    .array(
      z.object({
        ...{ instance: z.string(), machine, at, inFlight: column },
        perSecond: column.describe('answers from 2xx on, and TCP connections, a second'),
        errorsPerSecond: column.describe('5xx and failed connections a second'),
      }),
    )
    .describe('columns of equal length; empty without a service'),
  balancers: z
    .array(
      z.object({
        ...{ machine, at, held: column, retriesPerSecond: column },
        ownPerSecond: column.describe('answers of the balancer itself, a second'),
        ownErrorsPerSecond: column.default([]).describe('5xx among them; an older controller sends none'),
      }),
    )
    .describe('where a balancer made answers for the service itself, or held requests'),
})

export const rolloutNumbersSchema = z.object({
  rollout: id,
  damaged: z.boolean().describe('the record could be read only up to a damage'),
  instances: z
    .array(
      z.object({
        ...{ instance: z.string(), machine, at, inFlight: column, perSecond: column, errorsPerSecond: column },
        ...{ answers, connections: count, failed: count },
      }),
    )
    .describe('columns as in `/numbers/series`, and sums over the whole record'),
  balancers: z.array(
    z.object({
      ...{ machine, at, held: column, retriesPerSecond: column, ownPerSecond: column },
      ...{ ownErrorsPerSecond: column.default([]), own: answers, retries: count },
    }),
  ),
})

export type RolloutNumbers = z.output<typeof rolloutNumbersSchema>
export type Numbers = z.output<typeof numbersSchema>
export type NumbersSeries = z.output<typeof numbersSeriesSchema>

export const numbersOperations = {
  numbers: {
    ...{ method: 'GET', path: '/numbers', role: 'reader' },
    summary:
      'live numbers: requests, errors and work in flight of each instance; processors, memory and disk of each machine',
    response: numbersSchema,
  },
  numbersSeries: {
    ...{ method: 'GET', path: '/numbers/series', role: 'reader' },
    summary: 'the same over the last 15 minutes, in points of 2 or 10 s',
    query: z.object({
      service: service.optional().describe('adds the instances of this service'),
      since: moment.optional().describe('ISO 8601: only later points'),
    }),
    response: numbersSeriesSchema,
  },
  rolloutNumbers: {
    ...{ method: 'GET', path: '/rollouts/:id/numbers', role: 'reader' },
    summary: 'the numbers of a rollout, recorded while it ran; empty if there is no record',
    params: z.object({ id: id.describe('a rollout id or an unambiguous prefix') }),
    query: z.object({ until: moment.optional().describe('ISO 8601: only readings up to then, and their sums') }),
    response: rolloutNumbersSchema,
  },
} as const satisfies Record<string, Operation>
