import { z } from 'zod'
import { exposures, limitsOf, listenKinds, mostEntries, stopSignals, strategies } from './bounds.ts'
import type { Definition, Route } from './definition.ts'
import { jailPatterns } from './jailPatterns.ts'
import { namePattern, refuseEnvironmentName } from './names.ts'
import { healthPathPattern, hostIsValid, outputIsValid, pathIsValid } from './pathRules.ts'

// Only code that receives definitions over the wire imports this file: zod costs the command line a third of its start.

const longestText = 256 * 1024
/** Longest time that timers and dates hold; a year is the longest that can be written. */
const longestMs = 366 * 24 * 3_600_000

const plain = z
  .string()
  .max(longestText)
  .refine((text) => !text.includes('\0'), 'holds a NUL character')
const name = z.string().regex(namePattern)
const ms = z.int().min(0).max(longestMs)
const argv = z.array(plain).min(1).max(1000)
const shellCommand = plain.min(1).nullable()
const instances = z.int().min(limitsOf.instances.least).max(limitsOf.instances.most)
const machines = z
  .array(name)
  .min(1)
  .max(mostEntries)
  .refine((names) => new Set(names).size === names.length, 'names a machine twice')

const httpRoute = z.strictObject({
  host: z.string().refine(hostIsValid, 'is not a host name').nullable(),
  path: z.string().refine(pathIsValid, 'is not a path'),
})
/** Strict wherever it is read: a key about access to a port must not be ignored. */
export const portRouteSchema = z.strictObject({
  port: z.int().min(1).max(65_535),
  expose: z.enum(exposures).optional(),
  byDefault: z.literal(true).optional(),
})
export const routeSchema = z.union([httpRoute, portRouteSchema])
const routes = z.array(routeSchema).min(1).max(mostEntries)

const env = z
  .custom<Record<string, unknown>>((value) => {
    // Checked before zod copies the keys: `__proto__` would vanish in the copy.
    return (
      typeof value === 'object' &&
      value !== null &&
      Object.keys(value).every((key) => refuseEnvironmentName(key) === null)
    )
  }, 'is not a map of environment variables')
  .pipe(z.record(z.string(), plain))

export const limitsSchema = z.strictObject({
  memoryBytes: z.int().min(limitsOf.memoryLeast).nullable(),
  cpu: z.number().min(limitsOf.cpu.least).max(limitsOf.cpu.most).nullable(),
  tasks: z.int().min(limitsOf.tasks.least).max(limitsOf.tasks.most).nullable(),
  bodyBytes: z.int().min(limitsOf.bodyLeast).nullable(),
  files: z.int().min(limitsOf.files.least).max(limitsOf.files.most).optional(),
})

const jailed = (pattern: RegExp) => z.array(z.string().regex(pattern)).min(1).max(mostEntries).optional()
export const jailSchema = z.strictObject({
  write: jailed(jailPatterns.path),
  capabilities: jailed(jailPatterns.capability),
  devices: jailed(jailPatterns.path),
  addressFamilies: jailed(jailPatterns.addressFamily),
  addresses: jailed(jailPatterns.address),
  systemCalls: jailed(jailPatterns.systemCall),
  namespaces: z.boolean().optional(),
  seeProcesses: z.boolean().optional(),
  user: z.string().regex(jailPatterns.user).optional(),
  denyWriteExecute: z.boolean().optional(),
})

const overlay = z.strictObject({
  env: env.optional(),
  routes: routes.optional(),
  machines: machines.optional(),
  instances: instances.optional(),
  limits: limitsSchema.partial().optional(),
})

/**
 * A definition as releases store it (normalised, as JSON). Strict, for every receiver of a definition over the wire.
 */
export const definitionSchema: z.ZodType<Definition> = z
  .strictObject({
    service: name,
    run: argv,
    build: z.strictObject({
      command: shellCommand,
      output: z.string().refine(outputIsValid, 'is not a folder inside the release').nullable(),
      test: shellCommand,
    }),
    prepare: argv.nullable(),
    listen: z.enum(listenKinds),
    health: z.strictObject({
      path: z.string().regex(healthPathPattern),
      host: z.string().refine(hostIsValid, 'is not a host name').nullable().optional(),
      everyMs: ms.min(10),
      timeoutMs: ms.min(10),
      withinMs: ms.min(100),
      settleMs: ms,
    }),
    routes: routes.nullable(),
    machines: machines.nullable(),
    instances,
    rollout: z.strictObject({ strategy: z.enum(strategies), drainMs: ms }),
    stop: z.strictObject({ signal: z.enum(stopSignals), withinMs: ms }),
    env,
    limits: limitsSchema,
    idleMs: ms.min(100).nullable(),
    jail: jailSchema.optional(),
    notify: z.strictObject({ watchdogMs: ms.min(1000).nullable() }).optional(),
    environments: z.record(name, overlay),
  })
  .superRefine((definition, context) => {
    const overlays = Object.entries(definition.environments).map(([cluster, { routes }]) => [cluster, routes] as const)
    for (const [where, routes] of [['routes', definition.routes] as const, ...overlays]) {
      const wrong = refuseRoutes(definition.listen, routes ?? null, where === 'routes')
      if (wrong !== null) context.addIssue({ code: 'custom', message: `${where}: ${wrong}` })
    }
  })

function refuseRoutes(listen: Definition['listen'], routes: Definition['routes'], isBase: boolean): string | null {
  if (listen === 'tcp' && isBase && routes === null) return 'a tcp service needs at least one route'
  if (routes === null) return null
  if (listen === 'none') return 'a worker has no routes'
  const fits = (route: Route): boolean =>
    listen === 'tcp' ? 'port' in route : !('port' in route) || route.expose === 'local'
  if (!routes.every(fits)) return `a route does not fit listen: ${listen}`
  const keys = routes.map((route) => ('port' in route ? String(route.port) : `${route.host ?? ''} ${route.path}`))
  return new Set(keys).size === keys.length ? null : 'a route occurs twice'
}
