import type { ClusterDefinition } from '../cluster.ts'
import { hasUnits } from '../driverRegistry.ts'
import type { YamlSource } from '../yamlSource.ts'
import { firewallOf } from './facets.ts'

/** Warns of machines on which nothing can be enforced: all their services have one user. */
export function checkFirewall(cluster: ClusterDefinition, source: YamlSource): void {
  if (firewallOf(cluster).mode !== 'enforce') return
  const open = Object.entries(cluster.machines).filter(([, { drivers }]) => !hasUnits(drivers))
  if (open.length === 0) return
  const names = open.map(([name]) => name).join(', ')
  source.warn(['firewall'], `nothing is refused on ${names}: services have users of their own only with systemd`)
}
