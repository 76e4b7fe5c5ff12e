import type { ClusterDefinition } from '../cluster.ts'
import { hasUnits } from '../driverRegistry.ts'
import type { YamlSource } from '../yamlSource.ts'

/** Warns of machines on which nothing can be enforced: all their services have one user. A new cluster enforces by default. */
export function checkFirewall(cluster: ClusterDefinition, source: YamlSource): void {
  if (cluster.firewall?.mode === 'observe') return
  const open = Object.entries(cluster.machines).filter(([, { drivers }]) => !hasUnits(drivers))
  if (open.length === 0) return
  const names = open.map(([name]) => name).join(', ')
  source.warn(['firewall'], `nothing is refused on ${names}: services have users of their own only with systemd`)
}
