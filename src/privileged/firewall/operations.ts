import { z } from 'zod'
import { firewallModes } from '../../definitions/firewall/keys.ts'
import { jailPatterns } from '../../definitions/jailPatterns.ts'
import type { FirewallDriver } from '../../drivers/firewall/firewall.ts'
import { portShape, serviceShape } from '../instanceShape.ts'
import { noArguments, operation, type Operations } from '../operation.ts'

const mostRoutes = 10_000
const mostCallers = 1_000
const mostUsers = 100

/** In 127.77.0.0/16: the caller can guard no other address of the machine. */
export const routeAddressShape = z.string().regex(/^127\.77\.\d{1,3}\.\d{1,3}$/)

const guardShape = z.strictObject({
  mode: z.enum(firewallModes),
  users: z.array(z.string().regex(jailPatterns.user)).max(mostUsers),
  routes: z
    .array(
      z.strictObject({
        address: routeAddressShape,
        port: portShape,
        service: serviceShape,
        callers: z.array(serviceShape).max(mostCallers),
      }),
    )
    .max(mostRoutes),
  metadata: z.array(serviceShape).max(mostCallers).exactOptional(),
})

/** The ports of instances do not come from the caller, but from their units. */
export const firewallOperations = (firewall: FirewallDriver): Operations => ({
  'firewall.hold': operation(z.strictObject({ guard: guardShape.nullable() }), ({ guard }) => firewall.hold(guard)),
  'firewall.look': operation(noArguments, () => firewall.look()),
})
