import { z } from 'zod'
import { advertSchema, driversSchema, entrySchema } from './clusterSchema.ts'

/** The settings of one machine in `cluster.yaml`: its agent needs them before it can do anything. */
export const machineSettingsSchema = z.object({
  cluster: z.string(),
  address: z.string(),
  entry: entrySchema,
  drivers: driversSchema,
  /** Virtual addresses. */
  addresses: z.array(z.string()),
  advert: advertSchema,
})

export type MachineSettings = z.infer<typeof machineSettingsSchema>
