import type { Asked } from '../decision/base.ts'
import { limits } from '../decision/limits.ts'
import type { Directing, Moment, Objection } from '../decision/moment.ts'
import { addressMoves } from '../definitions/addresses/drivers.ts'
import { aloneAtAddresses, whyNotAt } from './addressHolders.ts'
import type { AddressesWorld } from './state.ts'

/** Requests arrive at the machine that holds a virtual address. */
export const directing: Directing<AddressesWorld> = { alone, hasLeft, whyNotBack, moveMs }

function alone(state: AddressesWorld, machine: string, { observed }: Moment): Objection | null {
  const why = aloneAtAddresses(state, observed, machine)
  if (why === null) return null
  return {
    message: `only machine ${machine} can hold the virtual addresses: ${why}`,
    next: 'fix that first (tandem status), or pass --force to leave the addresses without a holder meanwhile',
  }
}

function hasLeft(state: AddressesWorld, machine: string, since: Asked, { observed }: Moment): boolean {
  if (addressMoves(state.cluster?.machines[machine]?.drivers) === 'never') return true
  // A machine that has not reported since the controller started may still hold them.
  const report = observed[machine]?.report
  return report !== undefined && report.applied.address >= since.position && report.addresses.held.length === 0
}

function whyNotBack(state: AddressesWorld, machine: string, since: Asked, { observed }: Moment): string | null {
  const known = state.machines[machine]
  const { addresses = [], machines = {} } = state.cluster ?? {}
  const isIn = known?.traffic === 'ready' && addresses.length > 0
  if (!isIn || (machines[machine]?.drivers.address ?? 'none') === 'none') return null
  const why =
    (observed[machine]?.report.applied.address ?? 0) < since.position
      ? `${machine} has not taken the address yet`
      : whyNotAt(state, observed, known)
  return why && `machine ${machine} takes no virtual address: ${why}`
}

function moveMs(state: AddressesWorld, machine: string): number | null {
  return addressMoves(state.cluster?.machines[machine]?.drivers) === 'scripted' ? limits.releaseScriptMs : null
}
