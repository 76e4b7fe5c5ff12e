import type { RecordedEvent } from '../events/event.ts'
import { keepIf } from '../lib/records.ts'
import { evolveAddress } from './evolveAddress.ts'
import { evolveInstance } from './evolveInstance.ts'
import { evolveMaintenance, takenInHand } from './evolveMaintenance.ts'
import { evolveMachine } from './evolveMachine.ts'
import { evolveRollout } from './evolveRollout.ts'
import { evolveTurn } from './evolveTurn.ts'
import { recoveredState } from './recoveredState.ts'
import type { Asked, State } from './state.ts'

/** Folds one event into the state. Never refuses: an event in the log has happened. Does not change the given state. */
export function evolve(before: State, event: RecordedEvent): State {
  const asked: Asked = { position: event.position, at: Date.parse(event.at) }
  const state = { ...before, position: event.position }
  switch (event.type) {
    case 'LeadershipTaken': {
      const { term, id } = event.data
      const record = { term, id, start: event.position, recovered: false }
      return { ...state, terms: [...state.terms, record].slice(-termsKept), ...restarted(asked) }
    }
    case 'LogRecovered':
      return recoveredState(state, event.data, asked)
    case 'ClockRestarted':
      return { ...state, ...restarted(asked) }

    case 'ReleasePublished': {
      const { service, release, definition } = event.data
      return {
        ...state,
        releases: { ...state.releases, [release]: { id: release, service, definition, at: asked.at } },
      }
    }
    case 'ReleasesCollected': {
      const gone = new Set(event.data.releases)
      return { ...state, releases: keepIf(state.releases, (release) => !gone.has(release.id)) }
    }

    case 'ClusterApplied':
      return { ...state, cluster: event.data.cluster }
    case 'MachineRemoved':
    case 'MachineJoined':
    case 'MachineMoved':
    case 'MachineLost':
    case 'MachineReturned':
    case 'MachineDrainStepped':
    case 'MachineDrained':
      return evolveMachine(state, event, asked)
    case 'MachineDrainStarted':
    case 'MachineReadied':
      return { ...evolveMachine(state, event, asked), maintenance: takenInHand(state, event.data.machine) }

    case 'MaintenanceStarted':
    case 'MaintenanceStepped':
    case 'MaintenanceStopped':
    case 'MaintenanceResumed':
    case 'MaintenanceFinished':
      return evolveMaintenance(state, event, asked)
    case 'AddressTaken':
    case 'AddressReleased':
    case 'AddressContested':
    case 'AddressSettled':
    case 'AddressReturnStarted':
    case 'AddressReturnEnded':
      return evolveAddress(state, event, asked)
    case 'UpgradeStarted':
    case 'UpgradeReversed':
    case 'UpgradeTurnFinished':
      return { ...state, upgrade: { id: event.data.upgrade, at: null } }
    case 'UpgradeTurnStarted':
      return { ...state, upgrade: { id: event.data.upgrade, at: event.data.part } }
    case 'UpgradeFinished':
      return { ...state, upgrade: null }

    case 'LoopbackAssigned': {
      const { service, address } = event.data
      return { ...state, loopbacks: { ...state.loopbacks, [service]: address } }
    }
    case 'RolloutStarted':
    case 'ReleaseFetched':
    case 'PrepareStarted':
    case 'PrepareFinished':
    case 'MachinePassedOver':
    case 'RolloutReversed':
    case 'RolloutFinished':
    case 'ServiceRemoved':
    case 'DataRemoved':
      return evolveRollout(state, event, asked)

    case 'TurnStarted':
    case 'StepStarted':
    case 'TurnFinished':
      return evolveTurn(state, event, asked)

    case 'InstanceStarted':
    case 'InstanceReady':
    case 'InstanceFailed':
    case 'InstanceRecovered':
    case 'InstanceStopped':
      return evolveInstance(state, event)
  }
}

const restarted = ({ at, position }: Asked): Partial<State> => ({ clockSince: at, clockPosition: position })

/** Number of leaderships that an agent may have missed and still recognize the log as the same. */
const termsKept = 1_000
