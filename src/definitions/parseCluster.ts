import { isIP } from 'node:net'
import type { ClusterDefinition } from './cluster.ts'
import { clusterShape } from './clusterShape.ts'
import { keyHomes } from './keyHomes.ts'
import type { Problem } from './problem.ts'
import { YamlSource } from './yamlSource.ts'
import { addressMoves, hasUnits } from './driverRegistry.ts'

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
export function parseCluster(text: string, file: string): ParsedCluster {
  const source = new YamlSource(text, file, homes)
  const written = clusterShape.read(source.root, [], source)
  const machines = Object.entries(written.machines).map(([name, { address, drivers }]) => {
    const own = Object.entries(drivers ?? {}).filter(([, driver]) => driver !== null)
    return [name, { address, drivers: { ...written.drivers, ...Object.fromEntries(own) } }] as const
  })
  const cluster: ClusterDefinition = { ...written, machines: Object.fromEntries(machines) }
  checkAddresses(cluster, source)
  checkEntry(cluster, source)
  source.throwProblems()
  return { cluster, warnings: source.warnings }
}

/** Two machines at one address are one machine; a virtual address equal to a machine's own address could never move. */
function checkAddresses({ machines, addresses }: ClusterDefinition, source: YamlSource): void {
  const owners = new Map<string, string>()
  for (const [name, { address }] of Object.entries(machines)) {
    const path = ['machines', name, 'address']
    const owner = owners.get(address)
    if (owner === undefined) owners.set(address, name)
    else if (source.isSound(path)) source.problem(path, `${address} is already the address of machine ${owner}`)
  }
  for (const [index, address] of addresses.entries()) {
    const owner = owners.get(address)
    if (owner !== undefined && address !== '') {
      source.problem(['addresses', index], `${address} is machine ${owner}'s own address; a virtual one must be free`)
    }
  }
}

function checkEntry({ entry, drivers, addresses, machines }: ClusterDefinition, source: YamlSource): void {
  if (entry.http === entry.https && entry.certificates !== null && source.isSound(['entry'])) {
    source.problem(['entry', source.has(['entry', 'https']) ? 'https' : 'http'], 'http and https need different ports')
  }
  if (entry.certificates === null && source.has(['entry', 'https'])) {
    source.warn(['entry', 'https'], 'https is not served without `certificates`')
  }
  if (addressMoves(drivers) === 'never' && addresses.length > 0) {
    source.warn(['addresses'], `nothing moves these addresses with the driver \`address: ${drivers.address}\``)
  }
  if (
    addressMoves(drivers) === 'elected' &&
    addresses.length > 0 &&
    addresses.every((address) => isIP(address) !== 0)
  ) {
    for (const [name, { address, drivers: own }] of Object.entries(machines)) {
      if (addressMoves(own) !== 'elected') continue
      if (isIP(address) !== 0 && !addresses.some((virtual) => isIP(virtual) === isIP(address))) {
        const family = isIP(address) === 6 ? 'IPv6' : 'IPv4'
        source.problem(
          ['addresses'],
          `machines announce these addresses over ${address}: at least one must be ${family} too`,
        )
        return
      }
      if (hasUnits(own)) continue
      source.problem(
        ['machines', name],
        `${own.address} needs systemd; write \`drivers: { supervisor: systemd }\` or \`{ address: none }\``,
      )
    }
  }
}
