import { chainOf, type Link, type Links } from '../decision/links.ts'
import { serviceOfInstance } from '../definitions/names.ts'
import type { FleetEvents } from '../events/fleetEvents.ts'

const { away, back, lost, work, turn, instance: instanceChain } = chainOf

const machines = {
  ClusterApplied: () => ({}),
  MachineRemoved: ({ machine }) => ({ ends: [lost(machine), away(machine), back(machine), work(machine)] }),
  MachineJoined: ({ machine }) => ({ opens: [back(machine)] }),
  MachineMoved: () => ({}),
  MachineLost: ({ machine }) => ({ in: [work(machine)], opens: [lost(machine)], ends: [back(machine)] }),
  MachineReturned: ({ machine }) => ({
    ...{ in: [lost(machine), work(machine)], opens: [back(machine)], ends: [lost(machine)] },
  }),
  MachineDrainStarted: ({ machine }) => ({ in: [work(machine)], opens: [away(machine)], ends: [back(machine)] }),
  MachineDrainStepped: ({ machine }) => ({ in: [away(machine), work(machine)] }),
  MachineDrained: ({ machine }) => ({ in: [away(machine), work(machine)] }),
  MachineReadied: ({ machine }) => ({
    ...{ in: [work(machine), away(machine)], opens: [back(machine)], ends: [away(machine)] },
  }),
} satisfies Partial<Links<FleetEvents>>

const instances = {
  InstanceStarted: (data) => within(data),
  InstanceReady: (data) => ({ ...within(data), ends: [instanceChain(data.instance)] }),
  InstanceFailed: (data) => ({
    ...{ after: data.interrupted === true ? [work(data.machine)] : [], ...within(data) },
    opens: [instanceChain(data.instance)],
  }),
  InstanceRecovered: (data) => ({ ...within(data), ends: [instanceChain(data.instance)] }),
  InstanceStopped: (data) => ({ ...within(data), ends: [instanceChain(data.instance)] }),
} satisfies Partial<Links<FleetEvents>>

/** The start, the failure or the end of this instance; otherwise the turn of its service on its machine. */
function within({ instance, machine }: { instance: string; machine: string }): Link {
  const service = serviceOfInstance(instance, machine)
  return { in: [instanceChain(instance), ...(service === null ? [] : [turn(service, machine)])] }
}

export const fleetLinks: Links<FleetEvents> = {
  ...machines,
  ...instances,
  ReleasePublished: () => ({}),
  ReleasesCollected: () => ({}),
}
