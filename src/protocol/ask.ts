import { z } from 'zod'
import { definitionSchema } from '../definitions/definitionSchema.ts'

/**
 * A question of the controller to one agent, sent down the agent's stream and answered by a streamed POST. Only agents
 * open connections, so that a machine needs no port for it. A later `cancel` with the same id ends the answer.
 */
export const askSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('logs'),
    id: z.string(),
    service: z.string(),
    instance: z.string().nullable(),
    since: z.string().nullable(),
    last: z.int().nullable(),
    follow: z.boolean(),
  }),
  z.object({
    kind: z.literal('run'),
    id: z.string(),
    service: z.string(),
    release: z.string(),
    /** Of that release, overlays applied: the machine may run nothing of the service. */
    definition: definitionSchema,
    argv: z.array(z.string()).min(1),
  }),
  z.object({ kind: z.literal('cancel'), id: z.string() }),
])
export type Ask = z.infer<typeof askSchema>

/** One line of an answer. `exit` ends a run, `end` ends any answer. */
export const answerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('line'),
    at: z.string(),
    service: z.string(),
    instance: z.string(),
    stream: z.enum(['out', 'err', 'tandem']),
    text: z.string(),
  }),
  z.object({ kind: z.literal('exit'), code: z.int().nullable(), signal: z.string().nullable() }),
  z.object({ kind: z.literal('error'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('end') }),
])
export type Answer = z.infer<typeof answerSchema>
