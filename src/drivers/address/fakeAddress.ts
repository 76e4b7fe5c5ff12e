import type { AddressDriver, AddressPlan } from './address.ts'

/** An address driver without a network: it holds the allowed addresses until a test gives them to another machine. */
export interface FakeAddress extends AddressDriver {
  /** Every plan that the driver got, in order. */
  readonly plans: AddressPlan[]
  /** How often the controller was heard. */
  readonly heardCount: () => number
  /** Another machine holds this address from now on (`true`), or has dropped it (`false`). */
  setTaken(address: string, taken: boolean): void
  /** Makes the next `apply` reject with this error. */
  failNext(error: Error): void
}

const since = '2026-01-01T00:00:00.000Z'

export function createFakeAddress(): FakeAddress {
  const plans: AddressPlan[] = []
  const taken = new Set<string>()
  const listeners: (() => void)[] = []
  let failure: Error | null = null
  let closed = false
  let heard = 0
  return {
    name: 'fake',
    abilities: { movesAddresses: true },
    apply: async (plan) => {
      if (closed) throw new Error('the address driver is closed')
      const error = failure
      failure = null
      if (error !== null) throw error
      plans.push(plan)
    },
    held: () => {
      const plan = plans.at(-1)
      if (closed || !plan?.eligible) return []
      const given = new Set([...taken, ...plan.yields, ...plan.refused])
      return plan.addresses.filter((address) => !given.has(address)).map((address) => ({ address, since }))
    },
    withheld: () => null,
    trouble: () => null,
    reaches: () => [],
    onChange: (listener) => void listeners.push(listener),
    heard: () => void heard++,
    problems: () => [],
    close: async () => {
      closed = true
    },
    plans,
    heardCount: () => heard,
    setTaken: (address, isTaken) => {
      if (isTaken) taken.add(address)
      else taken.delete(address)
      for (const listener of listeners) listener()
    },
    failNext: (error) => void (failure = error),
  }
}
