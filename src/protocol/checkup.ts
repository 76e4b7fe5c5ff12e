import { join } from 'node:path'
import { z } from 'zod'
import type { featureAreas } from './slices.ts'

/** Areas that a checkup covers; each is one row of the table in docs/operations.md. */
export type CheckupArea =
  | ('agent' | 'versions' | 'clock' | 'ports' | 'certificates' | 'disk' | 'limits' | 'haproxy')
  | ('units' | 'secrets' | 'report' | 'controller')
  | (typeof featureAreas)[number]

const area = z.string().max(40)

/** One problem, or one check that could not be made. */
export const findingSchema = z.object({
  area,
  level: z.enum(['wrong', 'unchecked']),
  what: z.string().max(2_000),
  /** The next step; `null` where the finding needs no action. */
  next: z.string().max(2_000).nullable(),
})
export type Finding = z.infer<typeof findingSchema>

/** Most findings of one machine: more of the same add nothing. */
export const mostFindings = 200

/** Most certificates that a machine lists. */
export const mostCertificates = 500

const certificateSchema = z.object({
  name: z.string().max(300).describe('the first name that it is for'),
  kind: z.enum(['own', 'public']).describe('own: Tandem renews it; public: for HTTPS, people renew it'),
  until: z.iso.datetime().describe('end of its validity'),
})
export type ListedCertificate = z.infer<typeof certificateSchema>

/** The findings of a machine about itself, and the areas that it checked. */
export const checkupSchema = z.object({
  machine: z.string(),
  checked: z.array(area),
  findings: z.array(findingSchema).max(mostFindings),
  certificates: z
    .array(certificateSchema)
    .max(mostCertificates)
    .optional()
    .describe('absent: not readable there, or an older version made the checkup'),
})
export type Checkup = z.infer<typeof checkupSchema>

/** Socket on which an agent with that data folder answers. Only the agent's user and root may enter its folder. */
export const selfSocketOf = (data: string): string => join(data, 'self', 'agent.sock')

/** The agent's answer to `tandem doctor` on its machine. */
export const agentSelfSchema = z.object({
  version: z.string(),
  /** Whether the controller is connected. */
  controller: z.boolean(),
  /** The range of ports for instances. */
  ports: z.object({ first: z.int(), last: z.int() }),
  http: z.int(),
  forward: z.int(),
  metrics: z.int(),
  /** Problems, as in the agent's report; an older agent sends none. */
  problems: z.array(z.string().max(2_000)).default([]),
  instances: z.array(z.object({ id: z.string(), service: z.string(), state: z.string(), port: z.int().nullable() })),
})
export type AgentSelf = z.infer<typeof agentSelfSchema>
