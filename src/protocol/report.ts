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
  /** Why the instance is `failed`, or what it waits for; in words. */
  reason: reason.nullable(),
  port: z.int().nullable(),
  pid: z.int().nullable(),
  /** When the instance entered this state, ISO 8601 by the agent's clock: for display. */
  since: z.string(),
  /** How often the process was restarted after it ended on its own. */
  restarts: z.int().nonnegative(),
  /**
   * True from the first failure after the instance was ready until it has been ready for a while: one crash loop, not
   * many events.
   */
  unstable: z.boolean(),
  /** Work in flight as the balancer counts it, and the long connections among it. */
  work: z.int().nonnegative(),
  long: z.int().nonnegative(),
})

const seenSchema = z.object({ term: z.int().positive(), termId: z.string(), position })

const appliedSchema = z.object({ supervisor: position, balancer: position, address: position })

const endpointsSchema = z.object({
  /** The host under which other machines and users reach this one. */
  host: z.string(),
  http: z.int(),
  forward: z.int(),
  /** `/healthz` and `/metrics`. */
  metrics: z.int(),
})

/** The observations of a machine. Older and duplicate reports (by boot, then seq) change nothing. */
export const reportSchema = z.object({
  machine: name,
  /** Grows with each start of the agent, also when its disk was wiped: at least the wall clock in ms. */
  boot: z.int().positive(),
  seq: z.int().positive(),
  version: z.string(),
  /** Abilities of this agent beyond the first version: see protocol/abilities.ts. */
  abilities: z.array(name).default([]),
  /** The Tandem program that runs here, and the progress of a change of it. */
  program: programReportSchema.nullable().default(null),
  /** The newest desired state that this machine accepted. */
  seen: seenSchema.nullable(),
  /** Set when this machine refused the controller's desired state. */
  refused: z.object({ code: z.string(), message: reason }).nullable(),
  /** The log position that each driver has applied: a wait ends only at or after the position of the request. */
  applied: appliedSchema,
  endpoints: endpointsSchema,
  fetched: z.array(name),
  fetchFailures: z.array(z.object({ release: name, message: reason })),
  instances: z.array(reportedInstanceSchema),
  prepared: z.array(z.object({ rollout: name, ok: z.boolean(), reason })),
  removedData: z.array(name),
  /** Outcome of the last work on the machine itself; `ok` is `null` while the work is in progress. */
  maintenance: z
    .object({ id: name, attempt: z.int().positive(), ok: z.boolean().nullable(), reason })
    .nullable()
    .default(null),
  /** Whether this agent can work on its machine at all: not on a laptop. */
  maintains: z.boolean().default(false),
  /** Services whose routes the balancer could not open, although it applied everything else. */
  unserved: z.array(z.object({ service: name, reason })).default([]),
  /** Virtual addresses, as this machine sees its own part. */
  addresses: z
    .object({
      /** `since`: ISO 8601 by the agent's clock, for display. */
      held: z.array(z.object({ address: name, since: z.string() })),
      /** Why this machine does not take one or all of them; in words. */
      withheld: reason.nullable(),
      /** Why this machine could take none although it may, in words: something on it is broken. */
      trouble: reason.nullable().default(null),
      /** Machines that this machine reaches, in both directions; checked while it is refused an address. */
      reaches: z.array(name),
    })
    .default({ held: [], withheld: null, trouble: null, reaches: [] }),
  /**
   * Changes that a driver could not apply, in words, after the name of its part. Always shown; the reason of a late
   * step only if the step waited for that part.
   */
  problems: z.array(reason),
  /** The limits that the supervisor can enforce here. */
  limits: z.object({ memory: z.boolean(), cpu: z.boolean(), tasks: z.boolean(), why: z.string().nullable() }),
  /**
   * The whole desired state that this machine applied; sent only while it refuses the controller, for `tandem
   * controller recover`.
   */
  held: desiredStateSchema.nullable(),
})

export type Report = z.infer<typeof reportSchema>
export type ReportedInstance = z.infer<typeof reportedInstanceSchema>
export type InstanceState = ReportedInstance['state']
export type Seen = z.infer<typeof seenSchema>
export type Applied = z.infer<typeof appliedSchema>
export type Endpoints = z.infer<typeof endpointsSchema>
