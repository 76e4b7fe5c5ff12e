import type { FleetCommand } from '../fleet/commands.ts'
import { fleetDeciders } from '../fleet/room.ts'
import type { MaintenanceCommand } from '../maintenance/commands.ts'
import { maintenanceDeciders } from '../maintenance/room.ts'
import type { Report } from '../protocol/report.ts'
import type { RolloutCommand } from '../rollout/commands.ts'
import { rolloutDeciders } from '../rollout/room.ts'
import { upgradeDeciders } from '../upgrade/room.ts'
import type { StartUpgrade } from '../upgrade/startUpgrade.ts'
import type { Deciders } from '../decision/room.ts'
import { leadershipDeciders, type LeadershipCommand } from './leadership.ts'
import type { World } from './world.ts'

/** Every command of a room. */
export type RoomCommand = LeadershipCommand | FleetCommand | RolloutCommand | MaintenanceCommand | StartUpgrade

/**
 * A request that may be refused. `at` is the controller's wall clock in ms; ids are made outside and come with the
 * command.
 */
export type Command = { at: number } & (
  | RoomCommand
  | { type: 'RecordReport'; report: Report }
  | { type: 'RecoverLog'; id: string; version: string }
)

export const deciders: Deciders<World, RoomCommand> = {
  ...leadershipDeciders,
  ...fleetDeciders,
  ...rolloutDeciders,
  ...maintenanceDeciders,
  ...upgradeDeciders,
}
