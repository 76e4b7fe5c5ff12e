import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

/** What one machine's keepalived is to do; structured, so that whoever writes it as root can check each part. */
export interface KeepalivedSettings {
  machine: string
  /** The card that has this machine's own address. */
  interface: string
  /** This machine's own address, and those of the others: VRRP runs between these, unicast. */
  own: string
  peers: string[]
  addresses: VirtualAddress[]
  /** VRRP advertisements are sent this often (ms; RFC 5798 counts centiseconds); three missed ones and a bit are silence. */
  advert: number
}

export interface VirtualAddress {
  address: string
  /** `virtual_router_id`, 1 to 255: the same on every machine, different for each address. */
  routerId: number
  /** Who takes it where several could: 1 to 254. */
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

/** Throws where no card has this machine's own address. */
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

/** Each address prefers its own machine, the next ones in turn; one of each family prefer the same, for they move together. */
function priorityOf(names: string[], machine: string, index: number): number {
  const place = (names.indexOf(machine) - index + names.length * (index + 1)) % names.length
  return Math.max(leastPriority, mostPriority - place * priorityStep)
}

/** From the names alone, so that all machines find the same; `taken` keeps the addresses of one cluster apart. */
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
