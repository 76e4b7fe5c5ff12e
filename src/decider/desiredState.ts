import { desiredAddresses } from '../addresses/desiredAddresses.ts'
import { desiredMachine } from '../fleet/desiredMachine.ts'
import { desiredMaintenance } from '../maintenance/room.ts'
import type { MachineDesire } from '../protocol/desiredState.ts'
import { desiredServices } from '../rollout/desiredServices.ts'
import { desiredUpgrade } from '../upgrade/room.ts'
import type { World } from './world.ts'

/** Everything that one machine should have now, computed from the state alone; each room adds its slice. */
export const desiredState = (world: World, machine: string): MachineDesire => ({
  ...desiredMachine(world, machine),
  ...desiredServices(world, machine),
  ...desiredAddresses(world, machine),
  ...desiredMaintenance(world, machine),
  ...desiredUpgrade(world, machine),
})
