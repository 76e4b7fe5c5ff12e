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
  /** The rollout whose outcome this instance belongs to: tells a restarted copy of a release from the one before. */
  generation: name,
  /** `active` takes new work once it is ready; `idle` runs without traffic (not yet switched, or draining). */
  traffic: z.enum(['active', 'idle']),
})

const port = z.int().min(1).max(65535)

const loopback = z.ipv4().refine((address) => address.startsWith('127.'), 'is no loopback address')

const servedSchema = z.object({
  service: name,
  /** Only instances of these releases may serve it: each route leads only to releases that declare it. */
  releases: z.array(releaseId),
  /** Machines whose balancers may be forwarded to. */
  forwardTo: z.array(name),
  holdMs: z.number().nullable(),
  idleMs: z.number().nullable(),
  bodyBytes: z.number().nullable(),
})

const desiredRouteSchema = servedSchema.extend({
  match: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('http'), host: z.string().nullable(), path: z.string() }),
    /** `address`: the service's own loopback address, where it has one; it listens there too. */
    z.object({ kind: z.literal('tcp'), port, address: loopback.nullable().default(null) }),
  ]),
})

const localRouteSchema = servedSchema.extend({
  match: z.object({
    kind: z.literal('local'),
    carries: z.enum(['http', 'tcp']),
    /** The service's own; on a laptop 127.0.0.1. */
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
  /** A person ran `tandem controller recover`: machines may accept it although their last term is not its ancestor. */
  recovered: z.boolean(),
})

/** Each one line of JSON; `null`: not asked for, or by a controller without a certificate. */
const ordersSchema = z.object({
  script: z.string().nullable(),
  restart: z.string().nullable(),
  settings: z.string().nullable(),
  program: z.string().nullable().default(null),
})

/** The part of the desired state that the rollout room decides. */
const machineDesireSchema = z.object({
  machine: name,
  /** Releases to have fetched and verified, whether they run yet or not. */
  fetch: z.array(releaseId),
  /** Releases that collection must leave alone. */
  keep: z.array(releaseId),
  /** Definitions, overlays applied, of every release named below; by release id. */
  definitions: z.record(releaseId, definitionSchema),
  /** What probes of a release name as `Host`, by release id; beside the definitions, which agents from before it take strictly. */
  probeHosts: z.record(releaseId, z.string()).default({}),
  instances: z.array(desiredInstanceSchema),
  routes: z.array(desiredRouteSchema),
  /** Apart from `routes`, where an agent from before would open their ports to everybody. */
  localRoutes: z.array(localRouteSchema).default([]),
  /** What `definitions` leaves out, since an agent from before would refuse it: routes that say who may reach them; by release id. */
  declaredRoutes: z.record(releaseId, z.array(routeSchema)).default({}),
  /** The other machines and how to reach their balancers. */
  peers: z.array(z.object({ machine: name, host: z.string(), forwardPort: z.int() })),
  /** One-off `prepare` commands this machine must run, each once. */
  prepare: z.array(z.object({ rollout: name, service: name, release: releaseId })),
  /** Services whose data folder should be gone. */
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
  /** Of the virtual addresses in `settings`: what this machine must not hold, whatever keepalived thinks. */
  addresses: z
    .object({
      /** Given up gently: another machine is to have them, or this one is being taken out of traffic. */
      yields: z.array(name),
      /** Two machines held them and another was named: given up at once, while the controller is heard. */
      refused: z.array(name),
      /** Another machine in traffic has a ready instance of some service. */
      othersServe: z.boolean(),
    })
    .default({ yields: [], refused: [], othersServe: false }),
  /** `null` where no cluster file was applied. An agent that runs by others starts again with these. */
  settings: machineSettingsSchema.nullable().default(null),
})

/**
 * What one machine should be running and routing now. It is always sent whole, never as a difference, so that a lost,
 * repeated or reordered message cannot leave a machine half-way.
 */
export const desiredStateSchema = machineDesireSchema.extend({
  cluster: z.string(),
  /** The leadership that sends this, and the ones before it: how an agent tells a restored or forked log. */
  term: z.int().positive(),
  terms: z.array(termRecordSchema),
  /** The log position this state was folded at. */
  position,
  /** What an upgrade of Tandem itself asks of this machine now. */
  program: desiredProgramSchema.nullable().default(null),
  /** What of this the machine's root part must be sure of, signed by the controller: see identity/order.ts. */
  orders: ordersSchema.default({ script: null, restart: null, settings: null, program: null }),
})

export type MachineDesire = z.infer<typeof machineDesireSchema>
export type DesiredState = z.infer<typeof desiredStateSchema>
export type DesiredInstance = z.infer<typeof desiredInstanceSchema>
export type DesiredRoute = z.infer<typeof desiredRouteSchema>
export type LocalRoute = z.infer<typeof localRouteSchema>
export type TermRecord = z.infer<typeof termRecordSchema>
