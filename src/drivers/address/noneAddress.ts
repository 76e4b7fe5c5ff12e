import type { AddressDriver } from './address.ts'

/**
 * For clusters without virtual addresses: clients reach each machine by its own address. Accepts every plan and holds
 * nothing. `clean` removes the state that another driver left here.
 */
export function createNoneAddress(clean: () => Promise<void> = async () => {}): AddressDriver {
  let cleaned: Promise<void> | null = null
  return {
    name: 'none',
    abilities: { movesAddresses: false },
    apply: () =>
      (cleaned ??= clean().catch((error: unknown) => {
        cleaned = null
        throw error
      })),
    held: () => [],
    withheld: () => null,
    trouble: () => null,
    reaches: () => [],
    onChange: () => {},
    heard: () => {},
    problems: () => [],
    close: async () => {},
  }
}
