import type { MachineSettings } from '../protocol/machineSettings.ts'

export const agentUnit = 'tandem-agent.service'
export const haproxyUnit = 'tandem-haproxy.service'
export const keepalivedUnit = 'tandem-keepalived.service'
const guardUnit = 'tandem-guard.service'

/** How far a machine of a cluster has come: before its agent has run, and has been told, its units are not there yet. */
export interface Known {
  settings: MachineSettings
  /** Joining has written the agent's unit; `false`: somebody starts it in another way. */
  hasAgentUnit: boolean
  hasRun: boolean
  /** Its settings as the controller last said them; `null`: it has not. */
  told: MachineSettings | null
}

/** Units of Tandem itself that must be on this machine. */
export function ownUnits(known: Known): string[] {
  return [
    ...(known.hasAgentUnit ? [agentUnit] : []),
    ...(known.hasRun && known.settings.drivers.balancer === 'haproxy' ? [haproxyUnit] : []),
    ...(movesAddresses(known) ? [keepalivedUnit, guardUnit] : []),
  ]
}

/** Without virtual addresses there is no keepalived of Tandem's, whatever the driver. */
export const movesAddresses = ({ settings, told }: Pick<Known, 'settings' | 'told'>): boolean =>
  settings.drivers.address === 'keepalived' && settings.addresses.length > 0 && (told?.addresses.length ?? 0) > 0
