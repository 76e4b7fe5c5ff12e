import { z } from 'zod'
import { definitionSchema, routeSchema } from '../definitions/definitionSchema.ts'
import { name, reason, releaseId } from './basics.ts'
import type { Slice } from './slice.ts'

const desiredInstanceSchema = z.object({
  id: name,
  service: name,
  release: releaseId,
  slot: z.int().positive(),
  /**
   * The rollout whose outcome this instance belongs to: distinguishes a restarted copy of a release from the one
   * before.
   */
  generation: name,
  /** `active` takes new work once it is ready; `idle` runs without traffic (not yet switched, or draining). */
  traffic: z.enum(['active', 'idle']),
})

export const port = z.int().min(1).max(65535)

export const loopback = z.ipv4().refine((address) => address.startsWith('127.'), 'is not a loopback address')

export const servedSchema = z.object({
  service: name,
  /** Only instances of these releases may serve the route: each route leads only to releases that declare it. */
  releases: z.array(releaseId),
  /** Machines whose balancers may receive forwarded requests. */
  forwardTo: z.array(name),
  holdMs: z.number().nullable(),
  idleMs: z.number().nullable(),
  bodyBytes: z.number().nullable(),
})

const desiredRouteSchema = servedSchema.extend({
  match: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('http'), host: z.string().nullable(), path: z.string() }),
    /** `address`: the service's own loopback address, where it has one; the route listens there too. */
    z.object({ kind: z.literal('tcp'), port, address: loopback.nullable().default(null) }),
  ]),
})

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

/** Instances and their routes. */
export const services = {
  desire: {
    /** Definitions, overlays applied, of every release named below; by release id. */
    definitions: z.record(releaseId, definitionSchema),
    /**
     * The `Host` that probes of a release send, by release id. Sent beside the definitions, because older agents read
     * definitions strictly.
     */
    probeHosts: z.record(releaseId, z.string()).default({}),
    instances: z.array(desiredInstanceSchema),
    routes: z.array(desiredRouteSchema),
    /** Routes with `expose`, by release id. `definitions` leaves them out, because an older agent would refuse them. */
    declaredRoutes: z.record(releaseId, z.array(routeSchema)).default({}),
    /**
     * Keys of definitions as published, where `definitions` leaves something out of them, by release id: a controller
     * that recovers a lost log takes them from here.
     */
    publishedKeys: z.record(releaseId, z.record(z.string(), z.unknown())).default({}),
    /** The other machines and how to reach their balancers. */
    peers: z.array(z.object({ machine: name, host: z.string(), forwardPort: z.int() })),
    /** Out of traffic: this machine's own instances take no new work. */
    drained: z.boolean(),
  },
  report: {
    instances: z.array(reportedInstanceSchema),
    /** Services whose routes the balancer could not open, although it applied everything else. */
    unserved: z.array(z.object({ service: name, reason })).default([]),
    /** The limits that the supervisor can enforce here. */
    limits: z.object({ memory: z.boolean(), cpu: z.boolean(), tasks: z.boolean(), why: z.string().nullable() }),
  },
} satisfies Slice

export type ReportedInstance = z.infer<typeof reportedInstanceSchema>
export type InstanceState = ReportedInstance['state']
export type DesiredInstance = z.infer<typeof desiredInstanceSchema>
export type DesiredRoute = z.infer<typeof desiredRouteSchema>
