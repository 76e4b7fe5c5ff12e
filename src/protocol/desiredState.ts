import { z } from 'zod'
import { definitionSchema, routeSchema } from '../definitions/definitionSchema.ts'
import { machineSettingsSchema } from './machineSettings.ts'
import { desiredProgramSchema } from './programState.ts'

const releaseId = z.string().regex(/^[0-9a-f]{64}$/)
const name = z.string().min(1).max(200)
const position = z.int().nonnegative()

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

const port = z.int().min(1).max(65535)

const loopback = z.ipv4().refine((address) => address.startsWith('127.'), 'is not a loopback address')

const servedSchema = z.object({
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

const localRouteSchema = servedSchema.extend({
  match: z.object({
    kind: z.literal('local'),
    carries: z.enum(['http', 'tcp']),
    /** The service's own address; on a laptop 127.0.0.1. */
    address: loopback,
    port,
  }),
})

const termRecordSchema = z.object({
  term: z.int().positive(),
  /** Random: two leaderships with the same number and different ids are a fork. */
  id: z.string(),
  /** The log position at which this leadership began. */
  start: position,
  /**
   * An operator ran `tandem controller recover`: machines may accept this term although their last term is not its
   * ancestor.
   */
  recovered: z.boolean(),
})

/** Each is one line of JSON; `null`: not requested, or the controller has no certificate. */
const ordersSchema = z.object({
  script: z.string().nullable(),
  restart: z.string().nullable(),
  settings: z.string().nullable(),
  program: z.string().nullable().default(null),
})

/** The part of the desired state that the decision rooms decide. */
const machineDesireSchema = z.object({
  machine: name,
  /** Releases to have fetched and verified, whether they run yet or not. */
  fetch: z.array(releaseId),
  /** Releases that garbage collection must keep. */
  keep: z.array(releaseId),
  /** Definitions, overlays applied, of every release named below; by release id. */
  definitions: z.record(releaseId, definitionSchema),
  /**
   * The `Host` that probes of a release send, by release id. Sent beside the definitions, because older agents read
   * definitions strictly.
   */
  probeHosts: z.record(releaseId, z.string()).default({}),
  instances: z.array(desiredInstanceSchema),
  routes: z.array(desiredRouteSchema),
  /** Separate from `routes`, because an older agent would open these ports to everybody. */
  localRoutes: z.array(localRouteSchema).default([]),
  /** Routes with `expose`, by release id. `definitions` leaves them out, because an older agent would refuse them. */
  declaredRoutes: z.record(releaseId, z.array(routeSchema)).default({}),
  /** The other machines and how to reach their balancers. */
  peers: z.array(z.object({ machine: name, host: z.string(), forwardPort: z.int() })),
  /** One-off `prepare` commands that this machine must run, each once. */
  prepare: z.array(z.object({ rollout: name, service: name, release: releaseId })),
  /** Services whose data folder must be removed. */
  removedData: z.array(name),
  /** Out of traffic: this machine's own instances take no new work. */
  drained: z.boolean(),
  /** Work on the machine itself, to be done once for each attempt. */
  maintenance: z
    .object({
      id: name,
      attempt: z.int().positive(),
      script: z.object({ name, text: z.string(), withinMs: z.int().positive() }).nullable(),
      restart: z.boolean(),
    })
    .nullable()
    .default(null),
  /** The virtual addresses in `settings` that this machine must not hold, regardless of keepalived's own decision. */
  addresses: z
    .object({
      /** Released gently: another machine takes them, or this machine is being taken out of traffic. */
      yields: z.array(name),
      /** Two machines held them and another machine was named: released at once, while the controller is connected. */
      refused: z.array(name),
      /** Another machine in traffic has a ready instance of some service. */
      othersServe: z.boolean(),
    })
    .default({ yields: [], refused: [], othersServe: false }),
  /** `null` where no cluster file was applied. An agent that runs with other settings restarts with these. */
  settings: machineSettingsSchema.nullable().default(null),
  /** The program that an upgrade of Tandem itself wants on this machine now. */
  program: desiredProgramSchema.nullable().default(null),
})

/**
 * The instances and routes that one machine should have now. It is always sent whole, never as a difference, so that a
 * lost, repeated or reordered message cannot leave a machine half-way.
 */
export const desiredStateSchema = machineDesireSchema.extend({
  cluster: z.string(),
  /** The leadership that sends this, and the ones before it: with them an agent recognizes a restored or forked log. */
  term: z.int().positive(),
  terms: z.array(termRecordSchema),
  /** The log position at which this state was folded. */
  position,
  /** The orders that the machine's privileged helper must verify, signed by the controller: see identity/order.ts. */
  orders: ordersSchema.default({ script: null, restart: null, settings: null, program: null }),
})

export type MachineDesire = z.infer<typeof machineDesireSchema>
export type DesiredState = z.infer<typeof desiredStateSchema>
export type DesiredInstance = z.infer<typeof desiredInstanceSchema>
export type DesiredRoute = z.infer<typeof desiredRouteSchema>
export type LocalRoute = z.infer<typeof localRouteSchema>
export type TermRecord = z.infer<typeof termRecordSchema>
