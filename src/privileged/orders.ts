import { verifiedOrder, type Order } from '../identity/order.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { RootFolder } from './rootFolder.ts'

interface About {
  folder: RootFolder
  kind: Order['kind']
  /** As the agent handed it on; `null`: it has none. */
  signed: string | null
  content: unknown
  now: number
}

/** The order, if the controller gave it to this machine for this, and it is not older than one that was obeyed. */
export function acceptedOrder({ folder, kind, signed, content, now }: About): Order {
  if (signed === null) throw refused(kind, 'it is not signed by the controller')
  const { machine } = folder.readMachine()
  const order = checked(() =>
    verifiedOrder(signed, { ...{ kind, content, now, machine }, authority: folder.authority }),
  )
  const last = folder.obeyed(kind)
  // Settings are not work that is asked for again: what the cluster file said earlier is over.
  const isAgain = last !== null && kind !== 'settings' && isSame(last, order)
  if (last && !isAgain && !isLater(order, last)) throw refused(kind, 'a later one was obeyed already')
  return order

  function checked(check: () => Order): Order {
    try {
      return check()
    } catch (cause) {
      throw refused(kind, cause instanceof Error ? cause.message : String(cause), cause)
    }
  }
}

export const isSame = (one: { id: string; attempt: number }, other: { id: string; attempt: number }): boolean =>
  one.id === other.id && one.attempt === other.attempt

const isLater = (one: Pick<Order, 'term' | 'position'>, other: Pick<Order, 'term' | 'position'>): boolean =>
  one.term > other.term || (one.term === other.term && one.position >= other.position)

const refused = (kind: string, why: string, cause?: unknown): OperatorError =>
  new OperatorError('E_ORDER', `the root part does not obey (${kind}): ${why}`, {
    subject: kind,
    next: 'ask by tandem machine patch, machine reboot or cluster apply; is the clock of this machine right? Is the controller as new as the agent?',
    cause,
  })
