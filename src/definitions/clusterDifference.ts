import type { ClusterDefinition, ClusterMachine } from './cluster.ts'
import { driverKinds } from './driverKinds.ts'
import { featureFacets, settled } from './features.ts'

/** One change that applying a cluster file would make. */
export interface ClusterChange {
  kind: 'add' | 'remove' | 'change'
  /** `machine c`, `entry`, `addresses`. */
  what: string
  before: string | null
  after: string | null
}

/** The differences between the current cluster (`null`: nothing was applied yet) and the new one; machines first. */
export function clusterDifference(before: ClusterDefinition | null, after: ClusterDefinition): ClusterChange[] {
  const was = before === null ? {} : facets(before)
  const will = facets(settled(before, after))
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])]
  return names.flatMap((what): ClusterChange[] => {
    const [from = null, to = null] = [was[what], will[what]]
    if (from === to) return []
    return [{ kind: from === null ? 'add' : to === null ? 'remove' : 'change', what, before: from, after: to }]
  })
}

function facets(cluster: ClusterDefinition): Record<string, string> {
  const { machines, entry, controllers } = cluster
  const entries = Object.entries(machines).map(([name, { address, drivers }]) => {
    return [`machine ${name}`, `${address} (${namesIn(drivers).join(', ')})`]
  })
  const https = entry.certificates === null ? 'no https' : `https ${entry.https} with ${entry.certificates}`
  const trusted = entry.trustedProxies.length === 0 ? '' : `, trusts ${entry.trustedProxies.join(', ')}`
  return {
    ...Object.fromEntries(entries),
    controllers: controllers.join(', '),
    entry: `http ${entry.http}, ${https}${trusted}`,
    ...featureFacets(cluster),
  }
}

const namesIn = (drivers: ClusterMachine['drivers']): string[] =>
  (Object.keys(driverKinds) as (keyof typeof driverKinds)[]).map((kind) => drivers[kind]) // its own keys
