import type { Identity } from '../identity/identityFolder.ts'
import { noOrders, type Orders } from '../protocol/slices.ts'
import { featureOrders } from './features.ts'
import { signWith, type Unsigned } from './signing.ts'

/**
 * Signs the parts of a desired state that the machine's privileged helper must verify, because an attacker may control
 * the agent in between. A controller without a certificate signs nothing; its agents then carry out the desired state
 * themselves.
 */
export function ordersFor(desired: Unsigned, identity: Identity | null): Orders {
  return identity ? featureOrders(desired, signWith(identity, desired)) : noOrders
}
