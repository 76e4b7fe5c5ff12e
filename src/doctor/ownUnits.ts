import type { MachineSettings } from '../definitions/machineSettings.ts'
import { addressMoves, balancerHasUnit } from '../definitions/driverRegistry.ts'
import { guardUnit, haproxyUnit, keepalivedUnit } from '../layout/units.ts'

/**
 * Progress of a machine in its cluster: before its agent has run and has received its settings, its units do not exist
 * yet.
 */
export interface Known {
  settings: MachineSettings
  /** Units of the agent and its helper that joining or an upgrade has written; none if the agent is started otherwise. */
  parts: readonly string[]
  hasRun: boolean
  /** Settings as the controller last sent them; `null` if it has sent none. */
  told: MachineSettings | null
}

/** Units of Tandem itself that must exist on this machine. */
export function ownUnits(known: Known): string[] {
  return [
    ...known.parts,
    ...(known.hasRun && balancerHasUnit(known.settings.drivers) ? [haproxyUnit] : []),
    ...(movesAddresses(known) ? [keepalivedUnit, guardUnit] : []),
  ]
}

/** Without virtual addresses Tandem runs no keepalived, whatever the driver. */
export const movesAddresses = ({ settings, told }: Pick<Known, 'settings' | 'told'>): boolean =>
  addressMoves(settings.drivers) === 'elected' && settings.addresses.length > 0 && (told?.addresses.length ?? 0) > 0
