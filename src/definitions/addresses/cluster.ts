import { isIP } from 'node:net'
import type { ClusterDefinition } from '../cluster.ts'
import { hasUnits } from '../driverRegistry.ts'
import type { YamlSource } from '../yamlSource.ts'
import { addressMoves } from './drivers.ts'

/** Rules of a cluster file that join the virtual addresses to other keys. */
export function checkVirtualAddresses(cluster: ClusterDefinition, source: YamlSource): void {
  checkFree(cluster, source)
  checkMoves(cluster, source)
}

/** A virtual address equal to a machine's own address could never move. */
function checkFree({ machines, addresses }: ClusterDefinition, source: YamlSource): void {
  const owners = new Map(
    Object.entries(machines)
      .map(([name, { address }]) => [address, name])
      .toReversed() as [string, string][],
  )
  for (const [index, address] of addresses.entries()) {
    const owner = owners.get(address)
    if (owner !== undefined && address !== '') {
      source.problem(['addresses', index], `${address} is machine ${owner}'s own address; a virtual one must be free`)
    }
  }
}

function checkMoves({ drivers, addresses, machines }: ClusterDefinition, source: YamlSource): void {
  if (addressMoves(drivers) === 'never' && addresses.length > 0) {
    source.warn(['addresses'], `nothing moves these addresses with the driver \`address: ${drivers.address}\``)
  }
  const isElected = addressMoves(drivers) === 'elected' && addresses.length > 0
  if (!isElected || addresses.some((address) => isIP(address) === 0)) return
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

/** Its line in the difference of two cluster files. */
export const addressFacets = ({ addresses, advert }: ClusterDefinition): Record<string, string> =>
  addresses.length > 0 ? { addresses: `${addresses.join(', ')}, every ${advert} ms` } : {}
