import type { Room } from '../decision/room.ts'
import { addressFacts } from './addressFacts.ts'
import { advanceAddresses } from './advanceAddresses.ts'
import { directing } from './directing.ts'
import { addressFolds } from './foldAddress.ts'
import type { AddressesState, AddressesWorld } from './state.ts'

/** Virtual addresses: who holds which. */
export const addresses = {
  name: 'addresses',
  initial: { addresses: {} },
  folds: addressFolds,
  facts: addressFacts,
  advance: advanceAddresses,
  directing,
} satisfies Room<AddressesWorld, AddressesState>
