import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

/**
 * Settings of keepalived on one machine, as separate fields, so that the process that writes them as root can check
 * each field.
 */
export interface KeepalivedSettings {
  machine: string
  /** The card that has the own address of this machine. */
  interface: string
  /** The own address of this machine, and those of the others: VRRP runs between these, unicast. */
  own: string
  peers: string[]
  addresses: VirtualAddress[]
  /**
   * Interval of VRRP advertisements (ms; RFC 5798 counts centiseconds). Three missed advertisements and some margin
   * count as silence.
   */
  advert: number
}

export interface VirtualAddress {
  address: string
  /** `virtual_router_id`, 1 to 255: the same on every machine, different for each address. */
  routerId: number
  /** Preference among machines that could take the address: 1 to 254. */
  priority: number
}

export interface KeepalivedSituation {
  cluster: string
  machine: string
  own: string
  peers: { machine: string; address: string }[]
  addresses: string[]
  advert: number
}

const mostPriority = 200
const priorityStep = 10
const leastPriority = 10

/** Throws if no card has the own address of this machine. */
export function keepalivedSettings(
  { cluster, machine, own, peers, addresses, advert }: KeepalivedSituation,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): KeepalivedSettings {
  const names = [machine, ...peers.map((peer) => peer.machine)].toSorted()
  const taken = new Set<number>()
  const apart = new Set(addresses.map(isIPv6)).size === 1
  return {
    ...{
      machine,
      own,
      advert,
      interface: interfaceOf(own, interfaces),
      peers: peers.map(({ address }) => address).toSorted(),
    },
    addresses: addresses.map((address, index) => ({
      ...{
        address,
        routerId: routerIdOf(cluster, address, taken),
        priority: priorityOf(names, machine, apart ? index : 0),
      },
    })),
  }
}

/**
 * Each address prefers a different machine, and then the next machines in order; one address of each family prefers
 * the same machine, because they move together.
 */
function priorityOf(names: string[], machine: string, index: number): number {
  const place = (names.indexOf(machine) - index + names.length * (index + 1)) % names.length
  return Math.max(leastPriority, mostPriority - place * priorityStep)
}

/**
 * Derived from the names alone, so that all machines compute the same; `taken` keeps the addresses of one cluster
 * apart.
 */
function routerIdOf(cluster: string, address: string, taken: Set<number>): number {
  const hash = createHash('sha256').update(`${cluster} ${address}`).digest()
  let id = 1 + (hash.readUInt16BE(0) % 255)
  while (taken.has(id)) id = (id % 255) + 1
  taken.add(id)
  return id
}

export function interfaceOf(own: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const found = Object.entries(interfaces).find(([, infos]) => infos?.some(({ address }) => address === own))
  if (!found) throw new Error(`no network card of this machine has its own address ${own}`)
  return found[0]
}

export const hostPrefix = (address: string): string => `${address}/${isIPv6(address) ? 128 : 32}`
