import type { z } from 'zod'
import type { ClusterDefinition } from './cluster.ts'
import type { Drivers } from './driverRegistry.ts'
import { clusterShape, driversShape, entryShape } from './clusterShape.ts'
import { schemaOf } from './keptSchema.ts'
import type { KeptKey } from './shapes/kept.ts'

/*
 * The stored forms of a cluster file, for code that receives them over the wire. Unknown keys are dropped: the controller
 * sends every machine the file, also to a machine of an older version. The casts say that the schema and the type come from
 * the same shape.
 */
export const driversSchema = schemaOf(driversShape.kept, 'dropped') as z.ZodType<Drivers>
export const entrySchema = schemaOf(entryShape.kept, 'dropped') as z.ZodType<ClusterDefinition['entry']>
/** Milliseconds; VRRP counts hundredths of a second. */
export const advertSchema = valueOf('advert') as z.ZodType<number>

/** A cluster file after parsing. */
export const clusterSchema = schemaOf(clusterShape.kept, 'dropped') as z.ZodType<ClusterDefinition>

function valueOf(name: 'advert'): z.ZodType {
  const { kept, fallback } = clusterShape.kept.keys[name] as KeptKey // the shape has this key
  return schemaOf(kept, 'dropped').default(fallback)
}
