import { usualAdvertMs } from '../definitions/bounds.ts'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { EventType, RecordedEvent } from './event.ts'

/**
 * The version with which each event type is written now. A type's data changes only by a new version and an upcaster.
 */
export const eventVersions: Record<EventType, number> = {
  LeadershipTaken: 1,
  LogRecovered: 1,
  ClockRestarted: 1,
  ClusterApplied: 1,
  MachineRemoved: 1,
  MachineJoined: 1,
  MachineMoved: 1,
  MachineLost: 1,
  MachineReturned: 1,
  MachineDrainStarted: 1,
  MachineDrainStepped: 1,
  MachineDrained: 1,
  MachineReadied: 1,
  MaintenanceStarted: 1,
  MaintenanceStepped: 1,
  MaintenanceStopped: 1,
  MaintenanceResumed: 1,
  MaintenanceFinished: 1,
  AddressTaken: 1,
  AddressReleased: 1,
  AddressContested: 1,
  AddressSettled: 1,
  AddressReturnStarted: 1,
  AddressReturnEnded: 1,
  UpgradeStarted: 1,
  UpgradeTurnStarted: 1,
  UpgradeTurnFinished: 1,
  UpgradeReversed: 1,
  UpgradeFinished: 1,
  ReleasePublished: 1,
  ReleasesCollected: 1,
  LoopbackAssigned: 1,
  RolloutStarted: 1,
  ReleaseFetched: 1,
  PrepareStarted: 1,
  PrepareFinished: 1,
  TurnStarted: 1,
  StepStarted: 1,
  TurnFinished: 1,
  MachinePassedOver: 1,
  RolloutReversed: 1,
  RolloutFinished: 1,
  ServiceRemoved: 1,
  DataRemoved: 1,
  InstanceStarted: 1,
  InstanceReady: 1,
  InstanceFailed: 1,
  InstanceRecovered: 1,
  InstanceStopped: 1,
}

/** Converts data of `version` to `version + 1`; keyed `Type/version`. */
export type Upcasters = Record<string, (data: unknown) => unknown>

const upcasters: Upcasters = {}

/**
 * Fills in fields that older events lack: fields added to a type's data later, each with a default that describes the
 * former behaviour. Neighbouring versions of Tandem read the same log, and an older version ignores fields that it does
 * not know.
 */
const completed: Partial<Record<EventType, (data: never) => unknown>> = {
  ClusterApplied: ({ cluster }: { cluster: Partial<ClusterDefinition> }) => ({
    cluster: { advert: usualAdvertMs, ...cluster, entry: { trustedProxies: [], ...cluster.entry } },
  }),
}

/** An event as the log keeps it. */
export interface StoredEvent {
  position: number
  at: string
  type: string
  version: number
  /** JSON. */
  data: string
}

/** Reads a stored event and converts old versions to the current one. Refuses events that a newer Tandem wrote. */
export function fromStored(stored: StoredEvent, known: Upcasters = upcasters): RecordedEvent {
  const { type, position, at } = stored
  const current = type in eventVersions ? eventVersions[type as EventType] : undefined // checked by `in`
  if (current === undefined || stored.version > current) {
    const what = `${type} (version ${stored.version}) at position ${position}`
    throw new OperatorError(
      'E_LOG_NEWER',
      `the event log contains ${what}, which this version of Tandem does not know`,
      {
        subject: 'event log',
        next: 'start the version of Tandem that wrote the log; the log was not changed',
      },
    )
  }
  let data: unknown = JSON.parse(stored.data)
  for (let version = stored.version; version < current; version++) {
    const upcast = known[`${type}/${version}`]
    if (!upcast) throw new Error(`no upcaster for ${type}/${version}: a bug`)
    data = upcast(data)
  }
  const complete = completed[type as EventType] // checked above
  if (complete) data = complete(data as never) // of that type
  return { type, data, position, at } as RecordedEvent // our own log, of a known type and version
}
