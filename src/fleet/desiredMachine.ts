import type { MachineDesire } from '../protocol/desiredState.ts'
import type { FleetState } from './state.ts'

/** The facts that a machine should know about itself and the other machines. */
export const desiredMachine = (
  state: FleetState,
  machine: string,
): Pick<MachineDesire, 'machine' | 'peers' | 'settings' | 'drained'> => ({
  machine,
  peers: Object.values(state.machines)
    .filter(({ name }) => name !== machine)
    .map(({ name, endpoints }) => ({ machine: name, host: endpoints.host, forwardPort: endpoints.forward })),
  settings: settingsOf(state, machine),
  drained: ['draining', 'drained'].includes(state.machines[machine]?.traffic ?? ''),
})

function settingsOf({ cluster }: FleetState, machine: string): MachineDesire['settings'] {
  const named = cluster?.machines[machine]
  if (!cluster || !named) return null
  const { machines: _, controllers: __, ...shared } = cluster
  return { ...shared, address: named.address, drivers: named.drivers }
}
