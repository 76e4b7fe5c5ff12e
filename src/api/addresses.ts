import { z } from 'zod'
import { time } from './operation.ts'
import { problem, type StandingProblem } from './standingProblem.ts'

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

export const addressProblems = ({ addresses }: { addresses: z.infer<typeof addressSchema>[] }): StandingProblem[] =>
  addresses.flatMap(unheld)

/** An address that no machine holds, or that two machines held. */
function unheld({ address, holder, since, why, refused }: z.infer<typeof addressSchema>): StandingProblem[] {
  if (holder === null) {
    const text = `no machine holds ${address}: ${why}`
    return [problem({ tone: 'bad', word: 'no holder', subject: `no machine holds ${address}`, text, since })]
  }
  if (refused.length === 0) return []
  const subject = `${refused.join(' and ')} and ${holder}`
  const text = `${subject} do not hear each other: ${address} was given to ${holder}`
  return [problem({ tone: 'bad', word: 'disputed', subject, text, since, machine: holder })]
}
