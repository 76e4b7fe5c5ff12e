import { z } from 'zod'
import { time } from './operation.ts'

const addressSchema = z.object({
  address: z.string(),
  holder: z
    .string()
    .nullable()
    .describe('the machine that was last seen to take the address; null: no machine holds it'),
  since: time.nullable(),
  from: z.string().nullable().describe('the machine that held it before'),
  why: z.string().describe('why the address moved, or why no machine holds it'),
  refused: z
    .array(z.string())
    .describe('machines that also held the address and released it, while they and the holder do not hear each other'),
  goesBack: z
    .object({ to: z.string(), notBefore: time })
    .nullable()
    .default(null)
    .describe(
      'the preferred machine, and the earliest time at which the address returns to it, once all is healthy; null: it stays',
    ),
})

/** This feature's part of the status. */
export const addressesStatus = {
  addresses: z.array(addressSchema).default([]).describe('virtual addresses that keepalived moves'),
}
