import type { AddressesState } from '../addresses/state.ts'
import { addresses } from '../addresses/room.ts'
import { initialBase, type Base, type Config } from '../decision/base.ts'
import { fleet } from '../fleet/room.ts'
import type { FleetState } from '../fleet/state.ts'
import { maintenance } from '../maintenance/room.ts'
import type { MaintenanceState } from '../maintenance/state.ts'
import { rollout } from '../rollout/room.ts'
import type { RolloutState } from '../rollout/state.ts'
import { upgrade } from '../upgrade/room.ts'
import type { UpgradeState } from '../upgrade/state.ts'

/** The whole state: a fold of the event log, nothing else. Each room owns its keys. */
export interface World extends Base, FleetState, RolloutState, MaintenanceState, AddressesState, UpgradeState {}

export const initialWorld = (config: Config): World => ({
  ...initialBase(config),
  ...fleet.initial,
  ...rollout.initial,
  ...maintenance.initial,
  ...addresses.initial,
  ...upgrade.initial,
})
