import type { ClusterDefinition } from './cluster.ts'
import { clusterShape } from './clusterShape.ts'
import { featureRules } from './features.ts'
import { keyHomes } from './keyHomes.ts'
import type { Problem } from './problem.ts'
import { YamlSource } from './yamlSource.ts'

export interface ParsedCluster {
  cluster: ClusterDefinition
  /** Doubtful settings that are no errors; sorted by position. */
  warnings: Problem[]
}

const homes = keyHomes(clusterShape.schema)

/**
 * Reads a `cluster.yaml`. For any text, the only error it throws is one `DefinitionError` with all problems of the
 * file.
 */
export function parseCluster(text: string, file: string, shape = clusterShape): ParsedCluster {
  const source = new YamlSource(text, file, homes)
  const written = shape.read(source.root, [], source)
  const stored = shape.store(written)
  const machines = Object.entries(stored.machines).map(([name, machine]) => {
    const own = Object.entries(machine.drivers ?? {}).filter(([, driver]) => driver !== null)
    return [name, { ...machine, drivers: { ...stored.drivers, ...Object.fromEntries(own) } }] as const
  })
  const cluster: ClusterDefinition = { ...stored, machines: Object.fromEntries(machines) }
  checkAddresses(cluster, source)
  checkEntry(cluster, source)
  for (const check of featureRules) check(cluster, source)
  source.throwProblems()
  return { cluster, warnings: source.warnings }
}

/** Two machines at one address are one machine. */
function checkAddresses({ machines }: ClusterDefinition, source: YamlSource): void {
  const owners = new Map<string, string>()
  for (const [name, { address }] of Object.entries(machines)) {
    const path = ['machines', name, 'address']
    const owner = owners.get(address)
    if (owner === undefined) owners.set(address, name)
    else if (source.isSound(path)) source.problem(path, `${address} is already the address of machine ${owner}`)
  }
}

function checkEntry({ entry }: ClusterDefinition, source: YamlSource): void {
  if (entry.http === entry.https && entry.certificates !== null && source.isSound(['entry'])) {
    source.problem(['entry', source.has(['entry', 'https']) ? 'https' : 'http'], 'http and https need different ports')
  }
  if (entry.certificates === null && source.has(['entry', 'https'])) {
    source.warn(['entry', 'https'], 'https is not served without `certificates`')
  }
}
