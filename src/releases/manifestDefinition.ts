import { z } from 'zod'
import { jailSchema, portRouteSchema } from '../definitions/definitionSchema.ts'
import type { Definition } from '../definitions/definition.ts'

const ms = z.number().int().nonnegative()
const env = z.record(z.string(), z.string())
const argv = z.array(z.string()).min(1)
const routes = z.array(
  z.union([portRouteSchema, z.object({ host: z.string().nullable(), path: z.string().startsWith('/') })]),
)
const limits = z.object({
  memoryBytes: z.number().int().positive().nullable(),
  cpu: z.number().positive().nullable(),
  tasks: z.number().int().positive().nullable(),
  bodyBytes: z.number().int().positive().nullable(),
  files: z.number().int().positive().optional(),
})
const machines = z.array(z.string())
const instances = z.number().int().nonnegative()

/**
 * The form that a normalised definition in a manifest must have, so that no machine works with another form. The
 * definitions module checked the meaning when the release was published. Unknown keys come from a later version.
 */
export const manifestDefinition = z.object({
  service: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  run: argv,
  build: z.object({ command: z.string().nullable(), output: z.string().nullable(), test: z.string().nullable() }),
  prepare: argv.nullable(),
  listen: z.enum(['http', 'tcp', 'none']),
  health: z.object({
    path: z.string(),
    host: z.string().nullable().optional(),
    everyMs: ms,
    timeoutMs: ms,
    withinMs: ms,
    settleMs: ms,
  }),
  routes: routes.nullable(),
  machines: machines.nullable(),
  instances,
  rollout: z.object({ strategy: z.enum(['overlap', 'replace']), drainMs: ms }),
  stop: z.object({
    signal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGKILL']),
    withinMs: ms,
  }),
  env,
  limits,
  idleMs: ms.nullable(),
  // An unknown key here is refused: ignoring it could open or close something.
  jail: jailSchema.optional(),
  notify: z.object({ watchdogMs: ms.nullable() }).optional(),
  environments: z.record(
    z.string(),
    z.object({
      env: env.optional(),
      routes: routes.optional(),
      machines: machines.optional(),
      instances: instances.optional(),
      limits: limits.partial().optional(),
    }),
  ),
}) satisfies z.ZodType<Definition>
