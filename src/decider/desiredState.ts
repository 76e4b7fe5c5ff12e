import type { MachineDesire } from '../protocol/desiredState.ts'
import { rooms, type Wanted, type World } from './rooms.ts'

/** Everything that one machine should have now, computed from the state alone; each room adds its slices. */
export function desiredState(world: World, machine: string): MachineDesire {
  const wanted: Wanted = Object.assign({}, ...rooms.map((room) => room.desire(world, machine)))
  return wanted
}
