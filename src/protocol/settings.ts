import { z } from 'zod'
import { machineSettingsSchema } from '../definitions/machineSettings.ts'
import type { Slice } from './slice.ts'

export const settings = {
  desire: {
    /** `null` where no cluster file was applied. An agent that runs with other settings restarts with these. */
    settings: machineSettingsSchema.nullable().default(null),
  },
  report: {},
  orders: { settings: z.string().nullable() },
} satisfies Slice
