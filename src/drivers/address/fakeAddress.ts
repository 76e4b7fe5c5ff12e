import type { AddressDriver, AddressPlan } from './address.ts'

/** An address driver without a network: it holds what it may until a test says that another machine took it. */
export interface FakeAddress extends AddressDriver {
  /** Every plan it was given, in order. */
  readonly plans: AddressPlan[]
  /** Another machine holds this address from now on (`true`), or let go of it (`false`). */
  setTaken(address: string, taken: boolean): void
  /** The next `apply` rejects with this. */
  failNext(error: Error): void
}

export function createFakeAddress(): FakeAddress {
  const plans: AddressPlan[] = []
  const taken = new Set<string>()
  let failure: Error | null = null
  let closed = false
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
      return closed || !plan?.eligible ? [] : plan.addresses.filter((address) => !taken.has(address))
    },
    close: async () => {
      closed = true
    },
    plans,
    setTaken: (address, isTaken) => void (isTaken ? taken.add(address) : taken.delete(address)),
    failNext: (error) => void (failure = error),
  }
}
