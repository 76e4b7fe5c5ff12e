import { contentHash, signOrder, type Order } from '../identity/order.ts'
import type { Identity } from '../identity/identityFolder.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import { noOrders, type Orders } from '../protocol/slices.ts'
import { featureOrders } from './features.ts'

export type Unsigned = Omit<DesiredState, 'orders'>

/** Signs one part of a desired state. */
export type Sign = (kind: Order['kind'], about: { id: string; attempt: number }, content: unknown) => string

/**
 * Signs the parts of a desired state that the machine's privileged helper must verify, because an attacker may control
 * the agent in between. A controller without a certificate signs nothing; its agents then carry out the desired state
 * themselves.
 */
export function ordersFor(desired: Unsigned, identity: Identity | null): Orders {
  if (!identity) return noOrders
  const { machine, term, position } = desired
  const sign: Sign = (kind, about, content) =>
    signOrder({ machine, kind, ...about, term, position, sha256: contentHash(content) }, identity)
  return featureOrders(desired, sign)
}
