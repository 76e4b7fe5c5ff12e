import { z } from 'zod'
import { firewallModes } from '../definitions/firewall/keys.ts'
import { atLeast, time, type Operation } from './operation.ts'

const countSchema = z.object({ count: z.int().describe('connections'), first: time, last: time })

const callSchema = z.object({
  from: z.string().describe('a service, or `user NAME` for another user of a machine'),
  to: z.string(),
  may: z.boolean().describe('whether it may connect now'),
  seen: countSchema.nullable().describe('connections of the last 7 days; null: none'),
  refused: countSchema.nullable().describe('connections that were refused, or would be; null: none'),
})

const guardSchema = z.object({
  machine: z.string(),
  state: z.enum(['off', 'observing', 'enforcing', 'unable']),
  why: z.string().nullable().describe('why the machine is unable to hold the rules'),
})

export const firewallOperations = {
  firewall: {
    ...{ method: 'GET', path: '/firewall', role: 'reader', summary: 'who may connect to which service, and who tried' },
    query: z.object({ atLeast }),
    response: z.object({
      mode: z.enum(firewallModes).nullable().describe('null: this cluster guards nothing, as on a laptop'),
      since: time.nullable().describe('since when connections are counted; null: nothing counts them here'),
      machines: z.array(guardSchema),
      calls: z.array(callSchema),
    }),
  },
  firewallWhy: {
    ...{
      method: 'GET',
      path: '/firewall/why',
      role: 'reader',
      summary: 'why a caller may connect to a service, or not',
    },
    query: z.object({ from: z.string(), to: z.string(), atLeast }),
    response: z.object({
      from: z.string(),
      to: z.string(),
      may: z.boolean(),
      why: z.string(),
      next: z.string().nullable(),
      refused: countSchema.nullable(),
    }),
  },
} as const satisfies Record<string, Operation>

export type GuardView = z.infer<typeof firewallOperations.firewall.response>
export type CallView = z.infer<typeof callSchema>
export type WhyView = z.infer<typeof firewallOperations.firewallWhy.response>
