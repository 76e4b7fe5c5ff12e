import type { EventType, RecordedEvent } from '../events/event.ts'
import { change, keepIf } from '../lib/records.ts'
import { withoutNamed } from './evolveAddress.ts'
import { forgetUnusedGenerations } from './evolveInstance.ts'
import type { Asked, Machine, State } from './state.ts'

type MachineEvent = Extract<RecordedEvent, { type: Extract<EventType, `Machine${string}`> }>

export function evolveMachine(
  state: State,
  event: Exclude<MachineEvent, { type: 'MachinePassedOver' }>,
  asked: Asked,
): State {
  const name = event.data.machine
  const set = (with_: (machine: Machine) => Machine): State => ({
    ...state,
    machines: change(state.machines, name, with_),
  })
  switch (event.type) {
    case 'MachineJoined': {
      const { endpoints } = event.data
      const machine: Machine = {
        name,
        endpoints,
        lost: false,
        traffic: 'ready',
        runsNothing: false,
        mayInterrupt: false,
        since: asked,
        mark: null,
        asked: 0,
      }
      return { ...state, machines: { ...state.machines, [name]: machine } }
    }
    case 'MachineRemoved':
      return withoutMachine(state, name, asked.at)
    case 'MachineMoved':
      return set((machine) => ({ ...machine, endpoints: event.data.endpoints }))
    case 'MachineLost':
      return { ...set((machine) => ({ ...machine, lost: true })), addresses: withoutNamed(state.addresses, name) }
    case 'MachineReturned': {
      const returned = set((machine) => ({ ...machine, lost: false, mark: event.data.mark }))
      return { ...returned, services: forgetBehind(state.services, name) }
    }
    case 'MachineDrainStarted':
      return set((machine) => ({
        ...machine,
        traffic: 'unforwarding',
        runsNothing: event.data.stop === true,
        // Draining a machine that is already out of traffic interrupts nothing.
        mayInterrupt: event.data.force !== false || machine.traffic !== 'ready',
        since: asked,
      }))
    case 'MachineDrainStepped':
      return set((machine) => ({ ...machine, traffic: 'draining', since: asked }))
    case 'MachineDrained':
      return set((machine) => ({ ...machine, traffic: 'drained', since: asked }))
    case 'MachineReadied':
      return set((machine) => ({ ...machine, traffic: 'ready', runsNothing: false, since: asked }))
  }
}

/** A machine that returns gets another try at catching up. */
function forgetBehind(services: State['services'], machine: string): State['services'] {
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [
      name,
      {
        ...service,
        behind: service.behind.filter((name) => name !== machine),
        leftAlone: service.leftAlone.filter((name) => name !== machine),
      },
    ]),
  )
}

/** Nothing is expected of a removed machine any more: the instances that it runs are its own. */
function withoutMachine(state: State, name: string, at: number): State {
  const others = (names: string[]): string[] => names.filter((one) => one !== name)
  return forgetUnusedGenerations({
    ...state,
    machines: keepIf(state.machines, (machine) => machine.name !== name),
    addresses: withoutHolder(state.addresses, name),
    removedMachines: { ...state.removedMachines, [name]: at },
    instances: keepIf(state.instances, (instance) => instance.machine !== name),
    turns: keepIf(state.turns, (turn) => turn.machine !== name),
    services: Object.fromEntries(
      Object.entries(state.services).map(([key, service]) => [
        key,
        { ...service, behind: others(service.behind), leftAlone: others(service.leftAlone) },
      ]),
    ),
    removedData: Object.fromEntries(
      Object.entries(state.removedData)
        .map(([service, machines]) => [service, others(machines)] as const)
        .filter(([, machines]) => machines.length > 0),
    ),
  })
}

function withoutHolder(addresses: State['addresses'], machine: string): State['addresses'] {
  return Object.fromEntries(
    Object.entries(withoutNamed(addresses, machine)).map(([address, known]) => [
      address,
      {
        ...known,
        ...(known.holder === machine
          ? { holder: null, from: machine, why: `machine ${machine} no longer belongs to the cluster` }
          : {}),
        holders: known.holders.filter((name) => name !== machine),
        refused: known.refused.filter((name) => name !== machine),
      },
    ]),
  )
}
