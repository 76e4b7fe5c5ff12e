import { z } from 'zod'
import { lastWordsLineSchema } from '../protocol/lastWords.ts'
import { id, machine, service, time, type Operation } from './operation.ts'

export const lastWordsSchema = z.object({
  ...{ instance: id, service, machine, release: z.string() },
  at: time.describe("when it failed, by the machine's clock"),
  reason: z.string(),
  cut: z.boolean().describe('there was more output before these lines'),
  hints: z.array(z.string()).default([]).describe('keys of the definition that allow what the jail refused, in words'),
  lines: z.array(lastWordsLineSchema).describe('as the service wrote them: control characters are not removed'),
})
export type LastWordsView = z.output<typeof lastWordsSchema>

export const lastWordsOperations = {
  lastWords: {
    ...{ method: 'GET', path: '/last-words/:instance', role: 'reader' },
    summary: 'the last output of an instance before its newest failure, also when its machine is gone',
    params: z.object({ instance: id.describe('an instance id or an unambiguous prefix') }),
    response: lastWordsSchema,
  },
} as const satisfies Record<string, Operation>
