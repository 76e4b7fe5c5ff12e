import { z } from 'zod'
import { atLeast, type Operation } from './operation.ts'

const answerSchema = z.object({
  machine: z.string().describe('the machine from which a program calls'),
  answered: z
    .array(z.object({ instance: z.string(), machine: z.string() }))
    .describe('the ready instances that may answer; empty: none'),
  why: z.string().describe('why these answer, or why none does'),
})

const namedSchema = z.object({
  service: z.string(),
  name: z.string().nullable().describe('in the hosts file of every machine; null: on a laptop'),
  address: z.string().describe('the same on every machine, and for ever'),
  ports: z.array(z.object({ port: z.int(), carries: z.enum(['http', 'tcp']) })),
  usedBy: z.array(z.string()).describe('the services whose definitions say that they use it'),
  from: z.array(answerSchema),
})

export const namesOperations = {
  names: {
    ...{
      method: 'GET',
      path: '/names',
      role: 'reader',
      summary: 'names of services, and who answers from each machine',
    },
    query: z.object({ atLeast }),
    response: z.object({ names: z.array(namedSchema) }),
  },
} as const satisfies Record<string, Operation>

export type Named = z.infer<typeof namedSchema>
