import { addressVersions, type AddressEvents } from './addressEvents.ts'
import { fleetVersions, type FleetEvents } from './fleetEvents.ts'
import { leadershipVersions, type LeadershipEvents } from './leadershipEvents.ts'
import { maintenanceVersions, type MaintenanceEvents } from './maintenanceEvents.ts'
import { noteVersions, type NoteEvents } from './noteEvents.ts'
import { rolloutVersions, type RolloutEvents } from './rolloutEvents.ts'
import { upgradeVersions, type UpgradeEvents } from './upgradeEvents.ts'

/** A fact that happened, as it is appended. `at` is ISO 8601 with milliseconds, by the controller's clock. */
export type Event = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

/** An event in the log. Positions grow by one, except where a recovery left a gap on purpose. */
export type RecordedEvent = Event & { position: number; at: string }

export type EventType = keyof EventData

export interface EventData
  extends LeadershipEvents, FleetEvents, RolloutEvents, MaintenanceEvents, AddressEvents, UpgradeEvents, NoteEvents {}

/**
 * The version with which each event type is written now. A type's data changes only by a new version and an upcaster.
 */
export const eventVersions: Record<EventType, number> = {
  ...leadershipVersions,
  ...fleetVersions,
  ...rolloutVersions,
  ...maintenanceVersions,
  ...addressVersions,
  ...upgradeVersions,
  ...noteVersions,
}
