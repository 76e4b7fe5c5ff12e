import { z } from 'zod'
import { atLeast, time, type Operation } from './operation.ts'

const countSchema = z.object({
  count: z.int().describe('connections'),
  first: time,
  last: time,
})

const aboutSchema = z.object({
  owner: z.string().nullable(),
  runbook: z.string().nullable(),
  what: z.string().nullable(),
})

const boxSchema = z
  .object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })
  .describe('where it stands in a drawing; callers stand left of those that they call, as far as that is possible')

const mapServiceSchema = z.object({
  kind: z.literal('service'),
  name: z.string(),
  state: z
    .enum(['ready', 'partly', 'down', 'stopped', 'starting', 'missing'])
    .describe('partly: at least one instance is not ready; missing: others use it, but it is not deployed'),
  machines: z.array(z.string()).describe('machines on which it has an instance'),
  routes: z.array(z.string()).describe('public routes, as users would type them'),
  about: aboutSchema,
  box: boxSchema,
})

const mapOutsideSchema = z.object({
  kind: z.literal('outside'),
  name: z.string().describe('HOST:PORT outside the cluster'),
  box: boxSchema,
})

const edgeSchema = z.object({
  from: z.string(),
  to: z.string(),
  declared: z.boolean().describe('the definition of the caller says that it uses this'),
  optional: z.boolean(),
  path: z.string().describe('its line in a drawing, as in `d` of SVG; an arrow of 6 ends at the box'),
  port: z.int().nullable(),
  as: z.string().nullable().describe('begins the names of its variables; null: not declared, or an address outside'),
  seen: countSchema.nullable().describe('connections of the last 7 days; null: none, or not counted'),
  refused: countSchema.nullable().describe('connections that the firewall refused, or would refuse; null: none'),
  mark: z
    .enum(['undeclared', 'unused'])
    .nullable()
    .describe('undeclared: seen without being declared; unused: declared, but not seen for a week'),
})

export const mapSchema = z.object({
  cluster: z.string(),
  size: z.object({ width: z.number(), height: z.number() }).describe('of a drawing'),
  countedSince: time.nullable().describe('since when connections are counted; null: nothing counts them here'),
  nodes: z.array(z.discriminatedUnion('kind', [mapServiceSchema, mapOutsideSchema])),
  edges: z.array(edgeSchema),
  machines: z.array(z.object({ name: z.string(), state: z.enum(['ready', 'draining', 'drained', 'lost']) })),
})

export const mapOperations = {
  map: {
    ...{ method: 'GET', path: '/map', role: 'reader', summary: 'services, and who calls whom' },
    query: z.object({ atLeast }),
    response: mapSchema,
  },
} as const satisfies Record<string, Operation>

export type ClusterMap = z.infer<typeof mapSchema>
export type MapNode = ClusterMap['nodes'][number]
export type MapEdge = ClusterMap['edges'][number]
export type Counted = z.infer<typeof countSchema>
