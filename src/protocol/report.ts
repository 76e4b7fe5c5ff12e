import { z } from 'zod'
import { desiredStateSchema } from './desiredState.ts'
import { name, position, reason } from './basics.ts'
import { reportSlices } from './slices.ts'

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

/** The observations of a machine: an envelope and every feature's slice. Older and duplicate reports (by boot, then seq) change nothing. */
export const reportSchema = z.object({
  machine: name,
  /** Grows with each start of the agent, also when its disk was wiped: at least the wall clock in ms. */
  boot: z.int().positive(),
  seq: z.int().positive(),
  version: z.string(),
  /** Abilities of this agent beyond the first version: see protocol/slices.ts. */
  abilities: z.array(name).default([]),
  /** Keys of definitions that this agent knows, beyond those that every agent knows: see definitions/keyPaths.ts. */
  definitionKeys: z.array(name).max(1_000).default([]),
  /** The newest desired state that this machine accepted. */
  seen: seenSchema.nullable(),
  /** Set when this machine refused the controller's desired state. */
  refused: z.object({ code: z.string(), message: reason }).nullable(),
  /** The log position that each driver has applied: a wait ends only at or after the position of the request. */
  applied: appliedSchema,
  endpoints: endpointsSchema,
  ...reportSlices,
  /**
   * Changes that a driver could not apply, in words, after the name of its part. Always shown; the reason of a late
   * step only if the step waited for that part.
   */
  problems: z.array(reason),
  /**
   * The whole desired state that this machine applied; sent only while it refuses the controller, for `tandem
   * controller recover`.
   */
  held: desiredStateSchema.nullable(),
})

export type Report = z.infer<typeof reportSchema>
/** The part of a report that features make. */
export type ReportSlices = Pick<Report, keyof typeof reportSlices>
export type Seen = z.infer<typeof seenSchema>
export type Applied = z.infer<typeof appliedSchema>
export type Endpoints = z.infer<typeof endpointsSchema>
