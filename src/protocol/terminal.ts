import { z } from 'zod'

/** Size of a terminal in characters. */
export const terminalSizeSchema = z.object({
  rows: z.int().min(1).max(9_999),
  columns: z.int().min(1).max(9_999),
})

/** The terminal of a person. `type`: as in TERM. */
export const terminalSchema = terminalSizeSchema.extend({ type: z.string().regex(/^[\w.+-]{1,60}$/) })
export type Terminal = z.infer<typeof terminalSchema>
