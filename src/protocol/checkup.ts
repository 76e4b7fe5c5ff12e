import { join } from 'node:path'
import { z } from 'zod'

/** What a checkup looks at; each is one row of the table in docs/operations.md. */
export type CheckupArea =
  | ('agent' | 'versions' | 'clock' | 'ports' | 'certificates' | 'disk' | 'limits' | 'haproxy' | 'keepalived')
  | ('units' | 'secrets' | 'report' | 'controller')

const area = z.string().max(40)

/** One thing that is wrong, or that could not be checked. */
export const findingSchema = z.object({
  area,
  level: z.enum(['wrong', 'unchecked']),
  what: z.string().max(2_000),
  /** What to do; `null` where nothing is to be done but to look. */
  next: z.string().max(2_000).nullable(),
})
export type Finding = z.infer<typeof findingSchema>

/** Most findings of one machine: more of the same say no more. */
export const mostFindings = 200

/** What a machine found of itself, and which areas it looked at. */
export const checkupSchema = z.object({
  machine: z.string(),
  checked: z.array(area),
  findings: z.array(findingSchema).max(mostFindings),
})
export type Checkup = z.infer<typeof checkupSchema>

/** Where an agent with that data folder says it. Only its user and root enter the folder that holds it. */
export const selfSocketOf = (data: string): string => join(data, 'self', 'agent.sock')

/** What an agent says of itself to `tandem doctor` on its machine. */
export const agentSelfSchema = z.object({
  version: z.string(),
  /** The controller is connected. */
  controller: z.boolean(),
  /** Where it takes ports for instances from. */
  ports: z.object({ first: z.int(), last: z.int() }),
  http: z.int(),
  forward: z.int(),
  metrics: z.int(),
  /** What it could not do, as its report says it; an older agent says none. */
  problems: z.array(z.string().max(2_000)).default([]),
  instances: z.array(z.object({ id: z.string(), service: z.string(), state: z.string(), port: z.int().nullable() })),
})
export type AgentSelf = z.infer<typeof agentSelfSchema>
