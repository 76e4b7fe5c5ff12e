import type { Folds } from '../decision/room.ts'
import { keepIf } from '../lib/records.ts'
import { marked, reported, serviceRemoved, stepped, stopped } from './foldInstance.ts'
import { changed, joined, removed } from './foldMachine.ts'
import { recovered } from './recoveredFleet.ts'
import type { FleetState, FleetWorld } from './state.ts'

export const fleetFolds = {
  LogRecovered: recovered,
  ClusterApplied: (_, { data }) => ({ cluster: data.cluster }),
  MachineJoined: joined,
  MachineRemoved: removed,
  MachineMoved: changed,
  MachineLost: changed,
  MachineReturned: changed,
  MachineDrainStarted: changed,
  MachineDrainStepped: changed,
  MachineDrained: changed,
  MachineReadied: changed,
  ReleasePublished: ({ releases }, { data: { service, release, definition } }, { at }) => ({
    releases: { ...releases, [release]: { id: release, service, definition, at } },
  }),
  ReleasesCollected: ({ releases }, { data }) => {
    const gone = new Set(data.releases)
    return { releases: keepIf(releases, ({ id }) => !gone.has(id)) }
  },
  InstanceStarted: reported,
  InstanceReady: reported,
  InstanceFailed: reported,
  InstanceRecovered: reported,
  InstanceStopped: stopped,
  DataRemoved: marked,
  StepStarted: stepped,
  ServiceRemoved: serviceRemoved,
} satisfies Folds<FleetWorld, FleetState>
