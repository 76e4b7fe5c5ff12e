import { z } from 'zod'
import { leastAdvertMs, mostAdvertMs, mostEntries, mostTrustedProxies, usualAdvertMs } from './bounds.ts'
import type { ClusterDefinition } from './cluster.ts'
import { namePattern } from './names.ts'
import { isNetwork } from './network.ts'

// Only code that receives cluster files over the wire imports this file, as with definitionSchema.ts.

const name = z.string().regex(namePattern)
const host = z.string().min(1).max(253)
const port = z.int().min(1).max(65_535)

export const driversSchema = z.object({
  supervisor: z.enum(['systemd', 'process']),
  balancer: z.enum(['haproxy', 'embedded']),
  address: z.enum(['keepalived', 'command', 'none']),
})

export const entrySchema = z.object({
  http: port,
  https: port,
  certificates: z.string().max(4_096).nullable(),
  /** A version from before this key does not write it, and drops it when it reads. */
  trustedProxies: z.array(z.string().refine(isNetwork)).max(mostTrustedProxies).default([]),
})

/** Milliseconds; VRRP counts hundredths of a second. */
export const advertSchema = z.int().min(leastAdvertMs).max(mostAdvertMs).multipleOf(10).default(usualAdvertMs)

/** A cluster file after parsing, as it crosses a wire. */
export const clusterSchema = z.object({
  cluster: name,
  controllers: z.array(z.string().min(1).max(300)).min(1).max(9),
  machines: z
    .record(name, z.object({ address: host, drivers: driversSchema }))
    .refine((machines) => Object.keys(machines).length <= mostEntries, 'names too many machines'),
  entry: entrySchema,
  addresses: z.array(host).max(2),
  advert: advertSchema,
  drivers: driversSchema,
}) satisfies z.ZodType<ClusterDefinition>
