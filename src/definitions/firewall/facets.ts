import type { ClusterDefinition } from '../cluster.ts'
import type { firewallModes } from './keys.ts'

export interface FirewallSettings {
  mode: (typeof firewallModes)[number]
  users: readonly string[]
}

/**
 * A new cluster enforces; a file that leaves the mode out changes none. So neither an upgrade nor a file from before the
 * key cuts off callers, and no file takes the rules away in silence.
 */
export function withMode(before: ClusterDefinition | null, after: ClusterDefinition): ClusterDefinition {
  const mode = after.firewall?.mode ?? (before === null ? 'enforce' : firewallOf(before).mode)
  return mode === firewallOf(after).mode ? after : { ...after, firewall: { ...after.firewall, mode } }
}

/** With its defaults: those of a cluster from before the key. */
export const firewallOf = ({ firewall = {} }: Pick<ClusterDefinition, 'firewall'>): FirewallSettings => ({
  mode: firewall.mode ?? 'observe',
  users: firewall.users ?? [],
})

/** Its line in the difference of two cluster files. */
export function firewallFacets(cluster: ClusterDefinition): Record<string, string> {
  const { mode, users } = firewallOf(cluster)
  return { firewall: users.length === 0 ? mode : `${mode}, open to ${users.join(', ')}` }
}
