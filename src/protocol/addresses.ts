import { z } from 'zod'
import { name, reason } from './basics.ts'
import type { Slice } from './slice.ts'

export const addresses = {
  desire: {
    /**
     * The virtual addresses in `settings` that this machine must not hold, regardless of keepalived's own decision.
     */
    addresses: z
      .object({
        /** Released gently: another machine takes them, or this machine is being taken out of traffic. */
        yields: z.array(name),
        /** Two machines held them and another machine was named: released at once, while the controller is connected. */
        refused: z.array(name),
        /** Another machine in traffic has a ready instance of some service. */
        othersServe: z.boolean(),
      })
      .default({ yields: [], refused: [], othersServe: false }),
  },
  report: {
    /** Virtual addresses, as this machine sees its own part. */
    addresses: z
      .object({
        /** `since`: ISO 8601 by the agent's clock, for display. */
        held: z.array(z.object({ address: name, since: z.string() })),
        /** Why this machine does not take one or all of them; in words. */
        withheld: reason.nullable(),
        /** Why this machine could take none although it may, in words: something on it is broken. */
        trouble: reason.nullable().default(null),
        /** Machines that this machine reaches, in both directions; checked while it is refused an address. */
        reaches: z.array(name),
      })
      .default({ held: [], withheld: null, trouble: null, reaches: [] }),
  },
} satisfies Slice

/** Its area of a checkup. */
export const addressArea = 'keepalived' as const
