import { z } from 'zod'
import { desiredStateSchema } from './desiredState.ts'
import { programReportSchema } from './programState.ts'

const name = z.string().min(1).max(200)
/** Longest text in a report. */
export const reasonChars = 2_000
const reason = z.string().max(reasonChars)
const position = z.int().nonnegative()

export const instanceStates = ['starting', 'ready', 'draining', 'stopped', 'failed'] as const

const reportedInstanceSchema = z.object({
  id: name,
  service: name,
  release: name,
  state: z.enum(instanceStates),
  /** Why it is `failed`, or what it is waiting for; in words. */
  reason: reason.nullable(),
  port: z.int().nullable(),
  pid: z.int().nullable(),
  /** When it entered this state, ISO 8601 by the agent's clock: for display. */
  since: z.string(),
  /** How often its process was started again after it ended by itself. */
  restarts: z.int().nonnegative(),
  /** True from the first failure after it was ready until it has been ready for a while: one crash loop, not many events. */
  unstable: z.boolean(),
  /** Work in flight as the balancer counts it, and of that the long connections. */
  work: z.int().nonnegative(),
  long: z.int().nonnegative(),
})

const seenSchema = z.object({ term: z.int().positive(), termId: z.string(), position })

const appliedSchema = z.object({ supervisor: position, balancer: position, address: position })

const endpointsSchema = z.object({
  /** How other machines and people reach this one. */
  host: z.string(),
  http: z.int(),
  forward: z.int(),
  /** `/healthz` and `/metrics`. */
  metrics: z.int(),
})

/** What a machine says it observes. Older and duplicate ones (by boot, then seq) change nothing. */
export const reportSchema = z.object({
  machine: name,
  /** Grows with each start of the agent, also when its disk was wiped: at least the wall clock in ms. */
  boot: z.int().positive(),
  seq: z.int().positive(),
  version: z.string(),
  /** What this agent knows beyond the first version: see protocol/abilities.ts. */
  abilities: z.array(name).default([]),
  /** Which Tandem runs here, and how far a change of it is. */
  program: programReportSchema.nullable().default(null),
  /** The newest desired state this machine accepted. */
  seen: seenSchema.nullable(),
  /** Set when the controller's desired state was refused. */
  refused: z.object({ code: z.string(), message: reason }).nullable(),
  /** The log position that each driver has applied: a wait ends only on one at or after the position that asked. */
  applied: appliedSchema,
  endpoints: endpointsSchema,
  fetched: z.array(name),
  fetchFailures: z.array(z.object({ release: name, message: reason })),
  instances: z.array(reportedInstanceSchema),
  prepared: z.array(z.object({ rollout: name, ok: z.boolean(), reason })),
  removedData: z.array(name),
  /** How the last work on the machine itself went; `ok` is `null` while it goes on. */
  maintenance: z
    .object({ id: name, attempt: z.int().positive(), ok: z.boolean().nullable(), reason })
    .nullable()
    .default(null),
  /** Whether this agent can work on its machine at all: not on a laptop. */
  maintains: z.boolean().default(false),
  /** Services whose routes the balancer could not open, though it applied all the rest. */
  unserved: z.array(z.object({ service: name, reason })).default([]),
  /** Virtual addresses, as this machine sees its own part. */
  addresses: z
    .object({
      /** `since`: ISO 8601 by the agent's clock, for display. */
      held: z.array(z.object({ address: name, since: z.string() })),
      /** Why it takes one, or all, not; in words. */
      withheld: reason.nullable(),
      /** Why it could take none although it may, in words: something there is broken. */
      trouble: reason.nullable().default(null),
      /** Machines it reaches, both ways; looked at while it is refused an address. */
      reaches: z.array(name),
    })
    .default({ held: [], withheld: null, trouble: null, reaches: [] }),
  /** What a driver could not apply, in words, after the name of its part: shown; the reason of a late step only if that part was waited for. */
  problems: z.array(reason),
  /** What the supervisor can enforce here. */
  limits: z.object({ memory: z.boolean(), cpu: z.boolean(), tasks: z.boolean(), why: z.string().nullable() }),
  /** What this machine runs by, whole; sent only while it refuses the controller, for `tandem controller recover`. */
  held: desiredStateSchema.nullable(),
})

export type Report = z.infer<typeof reportSchema>
export type ReportedInstance = z.infer<typeof reportedInstanceSchema>
export type InstanceState = ReportedInstance['state']
export type Seen = z.infer<typeof seenSchema>
export type Applied = z.infer<typeof appliedSchema>
export type Endpoints = z.infer<typeof endpointsSchema>
