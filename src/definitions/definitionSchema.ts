import { z } from 'zod'
import type { Definition, Jail, Limits, Route } from './definition.ts'
import { definitionShape, limitsShape, type DefinitionShape } from './definitionShape.ts'
import { jailShape } from './jailShape.ts'
import { route } from './routeShape.ts'
import { schemaOf } from './keptSchema.ts'

/*
 * The stored forms, for code that takes them over a wire or from a disk. The casts say that the schema and the type come
 * from the same shape.
 */
export const routeSchema = schemaOf(route.kept) as z.ZodType<Route>
export const limitsSchema = schemaOf(limitsShape.kept) as z.ZodType<Limits>
export const jailSchema = schemaOf(jailShape.kept) as z.ZodType<Jail>

/** A definition as releases store it, as JSON. Refuses a key that this version does not know. */
export const definitionSchema: z.ZodType<Definition> = definitionSchemaOf(definitionShape)

/** The same for another shape. */
export function definitionSchemaOf(shape: Pick<DefinitionShape, 'kept'>): z.ZodType<Definition> {
  return (schemaOf(shape.kept) as z.ZodType<Definition>).superRefine((definition, context) => {
    const overlays = Object.entries(definition.environments).map(([cluster, { routes }]) => [cluster, routes] as const)
    for (const [where, routes] of [['routes', definition.routes] as const, ...overlays]) {
      const wrong = refuseRoutes(definition.listen, routes ?? null, where === 'routes')
      if (wrong !== null) context.addIssue({ code: 'custom', message: `${where}: ${wrong}` })
    }
  })
}

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
