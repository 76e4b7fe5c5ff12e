import { roomOf } from '../decision/room.ts'
import type { AddressEvents } from '../events/addressEvents.ts'
import { addressFacts } from './addressFacts.ts'
import { advanceAddresses } from './advanceAddresses.ts'
import { desiredAddresses } from './desiredAddresses.ts'
import { directing } from './directing.ts'
import { addressFolds } from './foldAddress.ts'
import type { AddressesState, AddressesWorld } from './state.ts'
import { addressLinks } from './links.ts'
import { addressWords } from './words.ts'

/** Virtual addresses: who holds which. */
export const addresses = roomOf<AddressesWorld, AddressesState, AddressEvents, never, 'addresses'>()({
  name: 'addresses',
  words: addressWords,
  links: addressLinks,
  initial: { addresses: {} },
  folds: addressFolds,
  facts: addressFacts,
  advance: advanceAddresses,
  directing,
  desire: desiredAddresses,
  commands: {},
})
