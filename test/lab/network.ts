import { execOrThrow } from '../../src/lib/exec.ts'

/** The network of every lab. Each lab has its own namespaces, so all labs may use the same addresses. */
const net = '10.77.0'
const switchName = 'switch'
/** Priority before the lookup of the machine's own addresses, so that cut packets are dropped without an answer. */
const cutPreference = 100

export interface LabNetwork {
  /**
   * Gives the machine an address and connects it, and applies existing cuts again. No setting of an earlier boot is
   * left.
   */
  join(name: string): Promise<void>
  /** Disconnects the machine: its kernel no longer answers. */
  leave(name: string): Promise<void>
  addressOf(name: string): string
  namespaceOf(name: string): string
  addresses(): ReadonlyMap<string, string>
  /**
   * Drops all packets from `from` to `to` without an error, also of established connections. The other direction works.
   */
  cutOneWay(from: string, to: string): Promise<void>
  /** Cuts both directions. */
  cut(one: string, other: string): Promise<void>
  /** Removes every cut between the two machines, or all cuts. */
  heal(one?: string, other?: string): Promise<void>
}

/** Prefix of the names of a lab's namespaces. */
export const namespacePrefix = (run: string): string => `tl-${run}-`

/** A bridge in a namespace, to which a pair of virtual cards connects every machine. Cuts are rules at the receiver. */
export async function openNetwork(run: string, hosts: ReadonlyMap<string, number>): Promise<LabNetwork> {
  const addresses = new Map([...hosts].map(([name, host]) => [name, `${net}.${host}`]))
  const cardOf = (name: string): string => `p-${hosts.get(name)}`
  const joined = new Set<string>()
  const cuts = new Map<string, { from: string; to: string }>()
  const namespaceOf = (name: string): string => `${namespacePrefix(run)}${name}`
  const bridge = namespaceOf(switchName)
  const addressOf = (name: string): string => {
    const address = addresses.get(name)
    if (address === undefined) throw new Error(`no machine ${name} is on this network`)
    return address
  }
  await ip(['netns', 'add', bridge])
  await ip(['-n', bridge, 'link', 'set', 'lo', 'up'])
  await ip(['-n', bridge, 'link', 'add', 'br0', 'type', 'bridge'])
  await ip(['-n', bridge, 'link', 'set', 'br0', 'up'])

  const rule = async (change: 'add' | 'del', from: string, to: string): Promise<void> => {
    if (!joined.has(to)) return // the machine is off; `join` applies the cuts when it starts
    const dropped = ['pref', String(cutPreference), 'from', addressOf(from), 'iif', 'eth0', 'blackhole']
    await ip(['-n', namespaceOf(to), 'rule', change, ...dropped])
  }
  const cutOneWay = async (from: string, to: string): Promise<void> => {
    const key = `${from} ${to}`
    if (cuts.has(key)) return
    cuts.set(key, { from, to })
    await rule('add', from, to)
  }
  return {
    join: async (name) => {
      const [inside, card] = [namespaceOf(name), cardOf(name)]
      await ip(['netns', 'add', inside])
      await ip(['-n', inside, 'link', 'set', 'lo', 'up'])
      const end = ['name', 'eth0', 'address', hardwareAddress(hosts.get(name) ?? 0), 'netns', inside]
      await ip(['-n', bridge, 'link', 'add', card, 'type', 'veth', 'peer', ...end])
      await ip(['-n', bridge, 'link', 'set', card, 'master', 'br0', 'up'])
      await ip(['-n', inside, 'addr', 'add', `${addressOf(name)}/24`, 'dev', 'eth0'])
      await ip(['-n', inside, 'link', 'set', 'eth0', 'up'])
      // Makes the lab's rules come before the machine's own addresses, so that they also apply to established
      // connections.
      const settings = ['net.ipv4.tcp_early_demux=0', 'net.ipv4.ip_early_demux=0']
      await execOrThrow(['nsenter', `--net=/run/netns/${inside}`, 'sysctl', '-qw', ...settings])
      await ip(['-n', inside, 'rule', 'add', 'pref', '1000', 'lookup', 'local'])
      await ip(['-n', inside, 'rule', 'del', 'pref', '0'])
      joined.add(name)
      for (const { from, to } of cuts.values()) if (to === name) await rule('add', from, to)
    },
    leave: async (name) => {
      if (!joined.delete(name)) return
      // The pair of cards disappears at once, a namespace only after its last process has ended.
      await ip(['-n', bridge, 'link', 'del', cardOf(name)])
      await ip(['netns', 'del', namespaceOf(name)])
    },
    addressOf,
    namespaceOf,
    addresses: () => addresses,
    cutOneWay,
    cut: async (one, other) => {
      await cutOneWay(one, other)
      await cutOneWay(other, one)
    },
    heal: async (one, other) => {
      for (const [key, { from, to }] of cuts) {
        const ends = [from, to]
        if ((one !== undefined && !ends.includes(one)) || (other !== undefined && !ends.includes(other))) continue
        cuts.delete(key)
        await rule('del', from, to)
      }
    },
  }
}

/**
 * The MAC address is the same after each boot, like that of a real card, so the ARP tables of other machines stay
 * valid.
 */
const hardwareAddress = (host: number): string => `02:00:0a:4d:00:${host.toString(16).padStart(2, '0')}`

async function ip(args: string[]): Promise<void> {
  await execOrThrow(['ip', ...args])
}
