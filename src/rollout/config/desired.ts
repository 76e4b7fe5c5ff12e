import { remembered } from '../../lib/remembered.ts'
import type { MachineDesire } from '../../protocol/desiredState.ts'
import { generationsOn } from '../generationsOn.ts'
import type { State } from '../state.ts'

/** The settings of each generation that runs on a machine, or is about to. */
export const configsOn = (state: State, machine: string): MachineDesire['config'] =>
  Object.fromEntries(
    servicesWithConfig(state.generations).flatMap((service) =>
      generationsOn(state, machine, service).flatMap(({ id, pins }) => (pins?.config ? [[id, pins.config]] : [])),
    ),
  )

const servicesWithConfig = remembered((generations: State['generations']): readonly string[] =>
  [...new Set(Object.values(generations).flatMap(({ service, pins }) => (pins?.config ? [service] : [])))].sort(),
)
