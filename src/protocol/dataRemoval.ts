import { z } from 'zod'
import { name } from './basics.ts'
import type { Slice } from './slice.ts'

export const dataRemoval = {
  desire: {
    /** Services whose data folder must be removed. */
    removedData: z.array(name),
  },
  report: {
    removedData: z.array(name),
  },
} satisfies Slice
