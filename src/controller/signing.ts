import { contentHash, signOrder, type Order } from '../identity/order.ts'
import type { Identity } from '../identity/identityFolder.ts'
import type { DesiredState } from '../protocol/desiredState.ts'

export type Unsigned = Omit<DesiredState, 'orders' | 'serviceOrders'>

/** Signs one part of a desired state. */
export type Sign = (kind: Order['kind'], about: { id: string; attempt: number }, content: unknown) => string

type Moment = Pick<Unsigned, 'machine' | 'term' | 'position'>

/** Signs what holds for a machine at a position of the log. */
export const signWith =
  (identity: Identity, { machine, term, position }: Moment): Sign =>
  (kind, about, content) =>
    signOrder({ machine, kind, ...about, term, position, sha256: contentHash(content) }, identity)
