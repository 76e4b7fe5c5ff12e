import type { Asked } from '../decision/base.ts'
import type { FleetWorld } from '../fleet/state.ts'

/*
 * A virtual ADDRESS has the holder that was seen to take it last (addressFacts.ts), machines that are refused it while
 * two machines held it, and perhaps a machine that it is returning to (advanceAddresses.ts).
 */
export interface AddressesState {
  /** Virtual addresses that any machine was ever seen to hold. */
  addresses: Record<string, Address>
}

export type AddressesWorld = FleetWorld & AddressesState

export interface Address {
  /** The machine that was last seen to take the address, and has not been seen to release it. */
  holder: string | null
  since: Asked
  /** All machines that were seen to take it and not to release it: more than one while they do not hear each other. */
  holders: string[]
  /** The machine that held it before. */
  from: string | null
  /** Why it moved, or why no machine holds it; in words. */
  why: string
  /** Machines that also held it while `holder` was named. */
  refused: string[]
  contestedSince: Asked | null
  /** Set while the address is on its way back to its preferred machine. */
  returning: { from: string; to: string; since: Asked } | null
  /** When the address was last sent back; ms. */
  triedAt: number
  /** When the machines that held it at once were last reported to reach each other again; ms. */
  settledAt: number
}
