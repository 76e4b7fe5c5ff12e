import type { Event } from '../../events/event.ts'

/**
 * An event in a few words, readable in tests; `null` for the facts that every turn has (fetched, started, ready,
 * stopped).
 */
export function eventLine({ type, data }: Event): string | null {
  switch (type) {
    case 'LoopbackAssigned':
      return `${data.service} at ${data.address}`
    case 'RolloutStarted':
      return `${data.rollout} started: ${data.kind} ${data.release} on ${data.machines.join(' ')}`.trim()
    case 'PrepareStarted':
      return `prepare on ${data.machine}`
    case 'PrepareFinished':
      return 'prepared'
    case 'MachinePassedOver':
      return `${data.machine} passed over`
    case 'TurnStarted':
      return `${where(data)} ${data.direction}`
    case 'StepStarted': {
      const named = [...data.start.map(({ id }) => `*${id}`), ...signed('+', data.activate)]
      const stop = data.step === 'switch' ? signed('-', data.retire) : data.step === 'drain' ? data.retire : data.stop
      return [`${where(data)} ${data.step}`, ...[...named, ...stop].map(short)].join(' ')
    }
    case 'TurnFinished':
      return `${where(data)} ${data.outcome}`
    case 'RolloutReversed':
      return `${data.rollout} reversed: ${short(data.reason)}`
    case 'RolloutFinished':
      return `${data.rollout} ${data.state}`
    case 'ServiceRemoved':
      return `${data.service} removed`
    case 'DataRemoved':
      return `data of ${data.service} gone from ${data.machine}`
    case 'InstanceFailed':
      return `${short(data.instance)} ${data.interrupted ? 'interrupted' : 'failed'}`
    case 'InstanceRecovered':
      return `${short(data.instance)} recovered`
    case 'MachineRemoved':
    case 'MachineJoined':
    case 'MachineMoved':
    case 'MachineLost':
    case 'MachineReturned':
    case 'MachineDrainStarted':
    case 'MachineDrainStepped':
    case 'MachineDrained':
    case 'MachineReadied':
      return `${data.machine} ${type
        .replace('Machine', '')
        .replaceAll(/([A-Z])/g, ' $1')
        .trim()
        .toLowerCase()}`
    case 'MaintenanceStepped':
      return `${data.machine} ${data.step}`
    case 'MaintenanceStopped':
      return `maintenance stopped: ${data.reason}`
    case 'MaintenanceStarted':
    case 'MaintenanceResumed':
    case 'MaintenanceFinished':
      return `maintenance ${type.replace('Maintenance', '').toLowerCase()}`
    case 'AddressTaken':
      return `${data.address} taken by ${data.machine} from ${data.from}: ${data.why}`
    case 'AddressReleased':
      return `${data.address} released by ${data.machine}: ${data.why}`
    case 'AddressContested':
      return `${data.address} contested: ${data.named}, not ${data.refused.join(' ')}`
    case 'AddressSettled':
      return `${data.address} settled`
    case 'AddressReturnStarted':
      return `${data.address} goes back from ${data.from} to ${data.to}`
    case 'AddressReturnEnded':
      return `${data.address} not back: ${data.why}`
    case 'UpgradeTurnStarted':
    case 'UpgradeTurnFinished':
      return `${data.part} ${type}`
    case 'ReleaseFetched':
    case 'InstanceStarted':
    case 'InstanceReady':
    case 'InstanceStopped':
      return null
    default:
      return type
  }
}

const where = ({ service, machine }: { service: string; machine: string }): string =>
  service === 'shop' ? machine : `${service}/${machine}`

const signed = (sign: string, ids: string[]): string[] => ids.map((id) => sign + id)

const short = (text: string): string => text.replaceAll('shop-', '')
