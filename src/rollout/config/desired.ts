import type { MachineDesire } from '../../protocol/desiredState.ts'
import { pinnedOn } from '../generationsOn.ts'
import type { State } from '../state.ts'

/** The settings of each generation that runs on a machine, or is about to. */
export const configsOn = (state: State, machine: string): MachineDesire['config'] =>
  Object.fromEntries(
    pinnedOn(state, machine, 'config').flatMap(({ id, pins }) => (pins?.config ? [[id, pins.config]] : [])),
  )
