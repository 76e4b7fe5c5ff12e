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
  return identity ? featureOrders(desired, signWith(identity, desired)) : noOrders
}

type Moment = Pick<Unsigned, 'machine' | 'term' | 'position'>

/** Signs what holds for a machine at a position of the log. */
export const signWith =
  (identity: Identity, { machine, term, position }: Moment): Sign =>
  (kind, about, content) =>
    signOrder({ machine, kind, ...about, term, position, sha256: contentHash(content) }, identity)
