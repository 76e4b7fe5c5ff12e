import type { ClusterDefinition } from '../cluster.ts'
import type { firewallModes } from './keys.ts'

export interface FirewallSettings {
  mode: (typeof firewallModes)[number]
  users: readonly string[]
}

/** With its defaults. */
export const firewallOf = ({ firewall = {} }: Pick<ClusterDefinition, 'firewall'>): FirewallSettings => ({
  mode: firewall.mode ?? 'observe',
  users: firewall.users ?? [],
})

/** Its line in the difference of two cluster files. */
export function firewallFacets(cluster: ClusterDefinition): Record<string, string> {
  const { mode, users } = firewallOf(cluster)
  return { firewall: users.length === 0 ? mode : `${mode}, open to ${users.join(', ')}` }
}
