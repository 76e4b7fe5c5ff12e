import type { Asked } from '../decision/base.ts'
import type { Recorded } from '../decision/room.ts'
import { change, keepIf, without } from '../lib/records.ts'
import type { FleetState, Machine } from './state.ts'

type MachineEvent = Recorded<
  | 'MachineMoved'
  | 'MachineLost'
  | 'MachineReturned'
  | 'MachineDrainStarted'
  | 'MachineDrainStepped'
  | 'MachineDrained'
  | 'MachineReadied'
>
type Fleet = Partial<FleetState>

export const joined = ({ machines }: FleetState, { data }: Recorded<'MachineJoined'>, since: Asked): Fleet => {
  const { machine: name, endpoints } = data
  const fresh = {
    lost: false,
    traffic: 'ready',
    runsNothing: false,
    mayInterrupt: false,
    mark: null,
    asked: 0,
  } as const
  return { machines: { ...machines, [name]: { name, endpoints, since, ...fresh } } }
}

/** Nothing is expected of a removed machine any more: the instances that it runs are its own. */
export const removed = (state: FleetState, { data: { machine } }: Recorded<'MachineRemoved'>, asked: Asked): Fleet => ({
  machines: without(state.machines, machine),
  removedMachines: { ...state.removedMachines, [machine]: asked.at },
  instances: keepIf(state.instances, (instance) => instance.machine !== machine),
})

export const changed = ({ machines }: FleetState, event: MachineEvent, since: Asked): Fleet => ({
  machines: change(machines, event.data.machine, (machine) => ({ ...machine, ...changeOf(machine, event, since) })),
})

function changeOf(machine: Machine, event: MachineEvent, since: Asked): Partial<Machine> {
  switch (event.type) {
    case 'MachineMoved':
      return { endpoints: event.data.endpoints }
    case 'MachineLost':
      return { lost: true }
    case 'MachineReturned':
      return { lost: false, mark: event.data.mark }
    case 'MachineDrainStarted':
      return {
        traffic: 'unforwarding',
        runsNothing: event.data.stop === true,
        // Draining a machine that is already out of traffic interrupts nothing.
        mayInterrupt: event.data.force !== false || machine.traffic !== 'ready',
        since,
      }
    case 'MachineDrainStepped':
      return { traffic: 'draining', since }
    case 'MachineDrained':
      return { traffic: 'drained', since }
    case 'MachineReadied':
      return { traffic: 'ready', runsNothing: false, since }
  }
}
