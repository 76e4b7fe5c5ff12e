import { z } from 'zod'
import { longestOrder, verifiedOrder, type Order } from '../identity/order.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { RootFolder } from './rootFolder.ts'

/** The signed order as the agent passes it on; `null` if the agent has none. */
export const orderShape = z.string().max(longestOrder).nullable()

interface About {
  folder: RootFolder
  kind: Order['kind']
  /** The signed order as the agent passed it on; `null` if the agent has none. */
  signed: string | null
  content: unknown
  now: number
}

/** Returns the order if the controller issued it to this machine for this purpose and no later order was obeyed. */
export function acceptedOrder({ folder, kind, signed, content, now }: About): Order {
  const refuse = (why: string, cause?: unknown): OperatorError => refused(kind, why, cause)
  const order = authentic({ folder, kind, signed, content, now }, refuse)
  const last = folder.obeyed(kind)
  // Settings are not repeatable work: earlier content of the cluster file is no longer valid.
  const isAgain = last !== null && kind !== 'settings' && isSame(last, order)
  if (last && !isAgain && !isLater(order, last)) throw refuse('this machine has already obeyed a later order')
  return order
}

/** Returns the order if the controller issued it to this machine for this purpose; else throws what `refuse` makes of it. */
export function authentic(
  { folder, kind, signed, content, now }: About,
  refuse: (why: string, cause?: unknown) => OperatorError,
): Order {
  if (signed === null) throw refuse('the order is not signed by the controller')
  const { machine } = folder.readMachine()
  try {
    return verifiedOrder(signed, { ...{ kind, content, now, machine }, authority: folder.authority })
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

export const isSame = (one: { id: string; attempt: number }, other: { id: string; attempt: number }): boolean =>
  one.id === other.id && one.attempt === other.attempt

/** Whether one was signed as of the same moment as the other, or of a later one. */
export const isLater = (one: Pick<Order, 'term' | 'position'>, other: Pick<Order, 'term' | 'position'>): boolean =>
  one.term > other.term || (one.term === other.term && one.position >= other.position)

const refused = (kind: string, why: string, cause?: unknown): OperatorError =>
  new OperatorError('E_ORDER', `the privileged helper rejected the request (${kind}): ${why}`, {
    subject: kind,
    next: 'request the work with tandem machine patch, tandem machine reboot or tandem cluster apply; also check that the clock of this machine is right (timedatectl) and that the controller is as new as the agent (tandem machines)',
    cause,
  })

/** An order about a service that the privileged helper does not obey. */
export const refusedForService = (service: string, message: string, cause?: unknown): OperatorError =>
  new OperatorError('E_ORDER', message, {
    subject: service,
    next: 'check that the clock of this machine is right (timedatectl) and that the controller is as new as the agent (tandem machines)',
    cause,
  })
