import { z } from 'zod'
export type { Answer } from '../protocol/ask.ts'
import { id, machine, moment, service, time, type Operation } from './operation.ts'

/** Most tails of one stream: eight tabs, with two each. */
export const mostTails = 16

/** A tail tells lines, and from when to when a machine's lines are missing. */
export const tailItemSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('line'),
    ...{ at: time, machine: z.string(), instance: z.string(), stream: z.enum(['out', 'err', 'tandem']) },
    text: z.string().describe('as the service wrote it: control characters are not removed'),
  }),
  z
    .object({ kind: z.literal('cut'), at: time, machine: z.string(), code: z.string(), text: z.string() })
    .describe('the machine does not answer: it is asked again until `open`, from its newest line on'),
  z.object({ kind: z.literal('open'), at: time, machine: z.string() }).describe('the machine answers from now on'),
])
export type TailItem = z.infer<typeof tailItemSchema>

const tail = z.string().regex(/^[\w-]{8,64}$/, 'a tail has 8 to 64 letters and digits')

export const tailOperations = {
  openTail: {
    ...{ method: 'POST', path: '/live/:stream/tails', role: 'reader' },
    summary: 'add a tail of output to a stream of this caller: its lines come as messages of the stream',
    params: z.object({ stream: id.describe('as the first message of the stream names it') }),
    body: z.object({
      tail: tail.describe('chosen by the caller, at random'),
      service,
      machine: machine.nullable().default(null).describe('null: all machines'),
      instance: id.nullable().default(null).describe('an id or an unambiguous prefix; null: all instances'),
      since: moment.nullable().default(null),
      last: z.int().min(1).max(100_000).nullable().default(null).describe('only the newest lines of each machine'),
      resume: z
        .record(machine, moment)
        .default({})
        .describe(
          'time of the newest known line by machine: its lines from then on, also if they are older than `since`',
        ),
    }),
    response: z.object({ tail, instance: id.nullable().describe('its whole id') }),
  },
  endTail: {
    ...{ method: 'POST', path: '/live/:stream/tails/:tail/end', role: 'reader', summary: 'end a tail' },
    params: z.object({ stream: id, tail }),
    response: z.object({ ended: z.boolean().describe('false: there is no such tail') }),
  },
} as const satisfies Record<string, Operation>
