import { z } from 'zod'
import { loopback, port, servedSchema } from './services.ts'
import type { Ability, Slice } from './slice.ts'

const localRouteSchema = servedSchema.extend({
  match: z.object({
    kind: z.literal('local'),
    carries: z.enum(['http', 'tcp']),
    /** The service's own address; on a laptop 127.0.0.1. */
    address: loopback,
    port,
  }),
})

/** Routes that listen on a loopback address alone. */
export const localRoutes = {
  desire: {
    /** Separate from `routes`, because an older agent would open these ports to everybody. */
    localRoutes: z.array(localRouteSchema).default([]),
  },
  report: {},
} satisfies Slice

export type LocalRoute = z.infer<typeof localRouteSchema>

/** Where programs on a machine reach a service. */
export type Answer = Omit<LocalRoute['match'], 'kind'>

export const localRoutesAbility: Ability<{ localRoutes: LocalRoute[] }> = {
  name: 'local-routes',
  words: 'serve a local port',
  wanted: ({ localRoutes: wanted }) => {
    const names = new Set(wanted.map(({ service }) => service))
    return names.size === 0 ? null : `serve the local ports of ${[...names].join(', ')}`
  },
}
