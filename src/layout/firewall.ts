import { join } from 'node:path'
import { privilegedFolder } from './dataFolder.ts'

/** Makes the firewall at boot, and when somebody else's rules were loaded. */
export const firewallUnit = 'tandem-firewall.service'

/** The table of nftables that is Tandem's own. */
export const firewallTable = 'tandem'

export const firewallRules = 'firewall.nft'

/** The rules that the unit loads; only root can write them. */
export const firewallRulesFile = (data: string): string => join(privilegedFolder(data), firewallRules)
