import { z } from 'zod'
import type { FeatureValues } from './cluster.ts'
import { driversSchema, entrySchema } from './clusterSchema.ts'
import { featureKeys } from './features.ts'
import { typesOf } from './keptSchema.ts'
import { group } from './shapes/group.ts'

/** The settings of one machine in `cluster.yaml`: its agent needs them before it can do anything. */
export const machineSettingsSchema = z.object({
  cluster: z.string(),
  address: z.string(),
  entry: entrySchema,
  drivers: driversSchema,
  ...(typesOf(group('the features', featureKeys).kept) as {
    [Key in keyof FeatureValues]: z.ZodType<FeatureValues[Key]>
  }), // of the same keys
})

export type MachineSettings = z.infer<typeof machineSettingsSchema>
