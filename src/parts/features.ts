import { firewallUnits } from './firewall.ts'
import type { OwnUnit } from './parts.ts'

/**
 * Here a feature hangs in units of its own that a machine has from its joining to its leaving. They are installed after
 * the privileged helper, and before its socket.
 */
export const featureUnits = (data: string): OwnUnit[] => [...firewallUnits(data)]
