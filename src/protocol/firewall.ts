import { z } from 'zod'
import { firewallModes } from '../definitions/firewall/keys.ts'
import { name, reason } from './basics.ts'
import { loopback, port } from './services.ts'
import type { Slice } from './slice.ts'

export const guardedRouteSchema = z.object({
  address: loopback,
  port,
  service: name,
  /** The services that may connect to it, besides itself. */
  callers: z.array(name),
})

const callSchema = z.object({
  /** A service, or `user NAME` for another user of the machine. */
  from: z.string(),
  to: name,
  /** A port at which it was refused, else one at which it was seen. */
  port,
  /** Connections since the table was made. In the mode `observe` those that would be refused count in both. */
  seen: z.int(),
  refused: z.int(),
})

/** Who may connect to which service on a machine. */
export const firewall = {
  desire: {
    /** `null` on a laptop, and from a controller that knows no firewall: nothing is guarded. */
    firewall: z
      .object({
        mode: z.enum(firewallModes),
        /** Users of the machine that may connect to every local route. */
        users: z.array(z.string()),
        routes: z.array(guardedRouteSchema),
        /** The services that may connect to the metadata address. From a controller that does not guard it: absent. */
        metadata: z.array(name).optional(),
      })
      .nullable()
      .default(null),
  },
  report: {
    firewall: z
      .object({
        state: z.enum(['off', 'observing', 'enforcing', 'unable']),
        /** Why the machine is unable to; in words. */
        why: reason.nullable(),
        calls: z.array(callSchema),
      })
      .default({ state: 'off', why: null, calls: [] }),
  },
} satisfies Slice

export type GuardedRoute = z.infer<typeof guardedRouteSchema>

/** Its area of a checkup. */
export const firewallArea = 'firewall' as const
