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

/**
 * The settings that an agent reads once, when it starts. It takes those of the features from each desired state, so a
 * change of these needs no new process.
 */
export const readAtStart = (settings: MachineSettings): Partial<MachineSettings> =>
  Object.fromEntries(Object.entries(settings).filter(([key]) => !Object.hasOwn(featureKeys, key)))
