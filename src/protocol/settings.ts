import { z } from 'zod'
import type { Slice } from './slice.ts'
import { advertSchema, driversSchema, entrySchema } from '../definitions/clusterSchema.ts'

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

export const settings = {
  desire: {
    /** `null` where no cluster file was applied. An agent that runs with other settings restarts with these. */
    settings: machineSettingsSchema.nullable().default(null),
  },
  report: {},
  orders: { settings: z.string().nullable() },
} satisfies Slice
