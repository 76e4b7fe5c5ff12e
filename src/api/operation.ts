import { z } from 'zod'
import { namePattern, nameRule } from '../definitions/names.ts'

export const basePath = '/api/v1'

/** Byte channels: see `lib/byteChannel.ts`. Paths of the operator's end and of the agent's end. */
export const channelPath = (id: string): string => `/channels/${id}`
export const agentChannelPath = (id: string): string => `/agent/channels/${id}`

/**
 * Role that may make a call: a reader only reads, an operator also changes, an agent speaks for its own machine, a
 * joiner has a join token, a visitor has a link that works once.
 */
export type CallerRole = 'reader' | 'operator' | 'agent' | 'agentOrOperator' | 'joiner' | 'visitor'

export interface Operation {
  method: 'GET' | 'POST'
  path: string
  role: CallerRole
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  response: z.ZodType
  /** The call takes `?dryRun=true`: it is decided, and refused like any other, but nothing changes. */
  dryRun?: true
}

export interface StreamOperation {
  path: string
  role: CallerRole
  summary: string
  params?: z.ZodObject
  query: z.ZodObject
  /** The data of each SSE message. */
  data: z.ZodType
}

export const service = z.string().regex(namePattern, nameRule)
export const machine = z.string().regex(namePattern, nameRule)
export const id = z.string().min(1).max(200)
export const releasePrefix = z.string().regex(/^[0-9a-f]{1,64}$/, 'a release id is up to 64 hex digits')
export const position = z.int().describe('the log position that this write reached: pass it as atLeast to a read')
export const atLeast = z.coerce
  .number()
  .int()
  .nonnegative()
  .optional()
  .describe('wait (at most 5 s) until the state includes this log position')
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')

/** The query of a call that takes `?dryRun=true`. */
export const withDryRun = (query: z.ZodObject | undefined): z.ZodObject =>
  (query ?? z.object({})).extend({
    dryRun: flag.describe('decide and answer what would happen; change nothing'),
  })

/** The answer to a dry run that was not refused. */
export const dryRunSchema = z.object({
  dryRun: z.literal(true),
  events: z
    .array(
      z.object({
        ...{ type: z.string(), data: z.record(z.string(), z.unknown()) },
        words: z.string().default('').describe('the event as people read it; an older controller does not send it'),
      }),
    )
    .describe('the events that the call would write to the log; none: there is nothing to do'),
})
export type DryRun = z.infer<typeof dryRunSchema>

/** A time that a caller gives. */
export const moment = z
  .string()
  .max(40)
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a time such as 2026-11-21T02:00:00Z (ISO 8601)')
  .describe('ISO 8601')

export const time = z.string().describe('ISO 8601 with milliseconds')
