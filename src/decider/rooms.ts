import { addresses } from '../addresses/room.ts'
import type { Room } from '../decision/room.ts'
import type { EventType } from '../events/event.ts'
import { fleet } from '../fleet/room.ts'
import { maintenance } from '../maintenance/room.ts'
import { rollout } from '../rollout/room.ts'
import { upgrade } from '../upgrade/room.ts'
import { leadership } from './leadership.ts'
import type { World } from './world.ts'

/**
 * All decision rooms, in the order in which they decide what follows: losses of machines come first, because everything
 * else depends on the machines that are still there.
 */
export const rooms: readonly Room<World, Partial<World>>[] = [
  leadership,
  fleet,
  maintenance,
  addresses,
  rollout,
  upgrade,
]

type Folded =
  | keyof typeof leadership.folds
  | keyof typeof fleet.folds
  | keyof typeof maintenance.folds
  | keyof typeof addresses.folds
  | keyof typeof rollout.folds
  | keyof typeof upgrade.folds

type Unfolded = Exclude<EventType, Folded>

/** The compiler objects to an event type that no room folds. */
export const everyEventIsFolded: [Unfolded] extends [never] ? true : Unfolded = true
