import type { z } from 'zod'
import type { ClusterDefinition } from './cluster.ts'
import type { Drivers } from './driverRegistry.ts'
import { clusterShape, driversShape, entryShape, type ClusterShape } from './clusterShape.ts'
import { schemaOf } from './keptSchema.ts'

/*
 * The stored forms of a cluster file, for code that receives them over the wire. Unknown keys are dropped: the controller
 * sends every machine the file, also to a machine of an older version. The casts say that the schema and the type come from
 * the same shape.
 */
export const driversSchema = schemaOf(driversShape.kept, 'dropped') as z.ZodType<Drivers>
export const entrySchema = schemaOf(entryShape.kept, 'dropped') as z.ZodType<ClusterDefinition['entry']>

/** A cluster file after parsing. */
export const clusterSchema = clusterSchemaOf(clusterShape)

/** The same for another shape. */
export function clusterSchemaOf(shape: Pick<ClusterShape, 'kept'>): z.ZodType<ClusterDefinition> {
  return schemaOf(shape.kept, 'dropped') as z.ZodType<ClusterDefinition>
}
