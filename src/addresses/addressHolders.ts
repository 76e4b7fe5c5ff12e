import type { Observed } from '../decision/observed.ts'
import { addressMoves } from '../definitions/addresses/drivers.ts'
import type { Machine } from '../fleet/state.ts'
import type { AddressesWorld } from './state.ts'

/**
 * Why no other machine would take over the requests that reach this machine by virtual addresses; `null` when another
 * machine would, or when no requests come that way.
 */
export function aloneAtAddresses(state: AddressesWorld, observed: Observed, machine: string): string | null {
  const { addresses = [], machines = {} } = state.cluster ?? {}
  const drivers = machines[machine]?.drivers
  const moves = addressMoves(drivers)
  const holds = Object.values(state.addresses).some(({ holder }) => holder === machine)
  const isHolder = moves === 'scripted' || holds || (observed[machine]?.report.addresses.held.length ?? 0) > 0
  if (addresses.length === 0 || moves === 'never' || !isHolder) return null
  const others = Object.values(state.machines).filter(
    ({ name }) => name !== machine && machines[name]?.drivers.address === drivers?.address,
  )
  const why = others.map((other) => whyNotAt(state, observed, other))
  return why.includes(null) ? null : why.join('; ') || 'there is no other machine'
}

/** Why this machine does not, or not yet, take the virtual address that it should take; `null` when it takes one. */
export function whyNotAt(
  state: AddressesWorld,
  observed: Observed,
  { name, lost, traffic, since }: Machine,
): string | null {
  const report = observed[name]?.report
  if (lost || !report) return `${name} does not report`
  if (traffic !== 'ready') return `${name} is out of traffic`
  if (report.addresses.trouble !== null) return `${name}: ${report.addresses.trouble}`
  const isScript = addressMoves(state.cluster?.machines[name]?.drivers) === 'scripted'
  return isScript && report.applied.address < since.position ? `${name}: its take script has not finished` : null
}
