import { z } from 'zod'
import { name, reason } from './basics.ts'
import type { Slice } from './slice.ts'

export const maintenance = {
  desire: {
    /** Work on the machine itself, to be done once for each attempt. */
    maintenance: z
      .object({
        id: name,
        attempt: z.int().positive(),
        script: z.object({ name, text: z.string(), withinMs: z.int().positive() }).nullable(),
        restart: z.boolean(),
      })
      .nullable()
      .default(null),
  },
  report: {
    /** Outcome of the last work on the machine itself; `ok` is `null` while the work is in progress. */
    maintenance: z
      .object({ id: name, attempt: z.int().positive(), ok: z.boolean().nullable(), reason })
      .nullable()
      .default(null),
    /** Whether this agent can work on its machine at all: not on a laptop. */
    maintains: z.boolean().default(false),
  },
  orders: { script: z.string().nullable(), restart: z.string().nullable() },
} satisfies Slice
