import type { AddressDriver } from './address.ts'

/** For clusters without virtual addresses: people reach each machine by its own. Takes every plan and holds nothing. */
export function createNoneAddress(): AddressDriver {
  return {
    name: 'none',
    abilities: { movesAddresses: false },
    apply: async () => {},
    held: () => [],
    close: async () => {},
  }
}
