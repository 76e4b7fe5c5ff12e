import { execOrThrow } from '../../src/lib/exec.ts'

/** The net that every lab has to itself: it is in namespaces of its own, so labs side by side may all use it. */
const net = '10.77.0'
const switchName = 'switch'
/** Before the machine's own addresses are looked up, so that what is cut is dropped without a word. */
const cutPreference = 100

export interface LabNetwork {
  /** Gives it an address and plugs it in; cuts that name it hold again. As new: nothing an earlier boot set is left. */
  join(name: string): Promise<void>
  /** Pulls its plug: its kernel answers nothing any more. */
  leave(name: string): Promise<void>
  addressOf(name: string): string
  namespaceOf(name: string): string
  addresses(): ReadonlyMap<string, string>
  /** Nothing that `from` sends reaches `to` any more, of established connections too; nobody is told. Answers the other way do. */
  cutOneWay(from: string, to: string): Promise<void>
  /** Both ways. */
  cut(one: string, other: string): Promise<void>
  /** Takes back every cut between the two, or of all. */
  heal(one?: string, other?: string): Promise<void>
}

/** The names of a lab's namespaces begin so. */
export const namespacePrefix = (run: string): string => `tl-${run}-`

/** A bridge in a namespace; every machine is on it by a pair of virtual cards. Cuts are rules where packets arrive. */
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
    if (!joined.has(to)) return // it is off; `join` sets what holds then
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
      // So that a rule of ours comes before the machine's own addresses, and holds for established connections too.
      const settings = ['net.ipv4.tcp_early_demux=0', 'net.ipv4.ip_early_demux=0']
      await execOrThrow(['nsenter', `--net=/run/netns/${inside}`, 'sysctl', '-qw', ...settings])
      await ip(['-n', inside, 'rule', 'add', 'pref', '1000', 'lookup', 'local'])
      await ip(['-n', inside, 'rule', 'del', 'pref', '0'])
      joined.add(name)
      for (const { from, to } of cuts.values()) if (to === name) await rule('add', from, to)
    },
    leave: async (name) => {
      if (!joined.delete(name)) return
      // The pair goes at once; a namespace goes when its last process has.
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

/** The same after each boot, as a card has it: the others' ARP tables stay true. */
const hardwareAddress = (host: number): string => `02:00:0a:4d:00:${host.toString(16).padStart(2, '0')}`

async function ip(args: string[]): Promise<void> {
  await execOrThrow(['ip', ...args])
}
