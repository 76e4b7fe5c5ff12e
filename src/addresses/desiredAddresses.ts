import { serves } from '../fleet/serving.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import type { AddressesWorld } from './state.ts'

export function desiredAddresses(state: AddressesWorld, machine: string): Pick<MachineDesire, 'addresses'> {
  const all = state.cluster?.addresses ?? []
  const isLeaving = (state.machines[machine]?.traffic ?? 'ready') !== 'ready'
  const goesBack = (address: string): boolean => {
    const under = state.addresses[address]?.returning
    return under !== undefined && under !== null && under.to !== machine
  }
  return {
    addresses: {
      yields: all.filter((address) => isLeaving || goesBack(address)),
      refused: all.filter((address) => state.addresses[address]?.refused.includes(machine)),
      othersServe: Object.values(state.instances).some((one) => one.machine !== machine && serves(state, one)),
    },
  }
}
