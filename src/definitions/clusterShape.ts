import { BlockList, isIP, SocketAddress } from 'node:net'
import { leastAdvertMs, mostAdvertMs, mostEntries, mostTrustedProxies, usualAdvertMs } from './bounds.ts'
import { namePattern, nameRule, refuseName } from './names.ts'
import { networkOf } from './network.ts'
import { hostIsValid, longestHost } from './pathRules.ts'
import { duration } from './shapes/duration.ts'
import { entries } from './shapes/entries.ts'
import { group, nested, optional, required, withDefault } from './shapes/group.ts'
import { distinct, list } from './shapes/list.ts'
import { number } from './shapes/number.ts'
import { refuse, type Refusal } from './shapes/refusal.ts'
import { choice, text } from './shapes/text.ts'
import { addressDrivers, balancerDrivers, namesOf, supervisorDrivers } from './driverRegistry.ts'

const controllerPort = 7480
const longestController = 300
const longestFolder = 4096
const port = number({ whole: true, least: 1, most: 65_535, what: 'a port' })
const supervisor = choice(namesOf(supervisorDrivers))
const balancer = choice(namesOf(balancerDrivers))
const address = choice(namesOf(addressDrivers))

export const driversShape = group('`drivers`', {
  supervisor: withDefault(supervisor, 'systemd', 'systemd', 'Runs the instances.'),
  balancer: withDefault(balancer, 'haproxy', 'haproxy', 'Takes the requests.'),
  address: withDefault(address, 'keepalived', 'keepalived', 'Moves the virtual addresses.'),
})

const machine = group('a machine', {
  address: required(
    text({ expects: 'an IP address or host name', schema: { maxLength: longestHost }, check: checkAddress }),
    'How the other machines reach it: an IP address or a host name',
    ['host', 'ip', 'hostname'],
  ),
  drivers: {
    ...optional(
      group('`drivers`', {
        supervisor: optional(supervisor, 'Runs the instances on this machine. Left out: the driver of the cluster.'),
        balancer: optional(balancer, 'Takes the requests on this machine. Left out: the driver of the cluster.'),
        address: optional(address, 'Moves virtual addresses on this machine. Left out: the driver of the cluster.'),
      }),
      'Drivers in which this machine differs from the cluster.',
      ['driver'],
    ),
    // The parser fills in the drivers of the cluster.
    stored: { kept: driversShape.kept, nullable: false },
  },
})

function refuseAdvert(ms: number): string | null {
  if (ms > mostAdvertMs) {
    return `too long: after a failure no machine would answer for 3.6 times this; the most is ${mostAdvertMs / 1000}s`
  }
  return ms % 10 === 0 ? null : 'VRRP counts hundredths of a second: write a multiple of 10ms'
}

export const entryShape = group('`entry`', {
  http: withDefault(port, 80, 80, 'Port on which every machine takes http requests.'),
  https: withDefault(port, 443, 443, 'Port for https; used only when there are `certificates`.'),
  certificates: optional(
    text({ expects: 'a folder of certificates', schema: { maxLength: longestFolder } }),
    'Folder of certificates, relative to this file. Left out: no https.',
    ['certs', 'tls'],
  ),
  trustedProxies: {
    ...withDefault(
      distinct(
        list(
          text({ expects: 'a network such as 10.0.0.0/8', schema: { maxLength: longestHost }, check: checkNetwork }),
          {
            what: 'networks',
            least: 0,
            most: mostTrustedProxies,
          },
        ),
      ),
      [],
      [],
      'Networks of balancers in front, as CIDR: the cluster trusts their X-Forwarded-For, -Proto and -Host.',
      ['trusted_proxies', 'trusted', 'proxies'],
    ),
    // A version from before this key neither writes nor keeps it.
    stored: { fallback: [] },
  },
})

/** Every key of `cluster.yaml`. */
export const clusterShape = group('the cluster', {
  cluster: required(
    text({ expects: nameRule, pattern: namePattern }),
    'Name of the cluster: a to z, 0 to 9 and dashes, at most 40 characters',
    ['name'],
  ),
  controllers: required(
    distinct(
      list(
        text({
          expects: 'a controller such as 10.0.0.10:7480',
          schema: { maxLength: longestController },
          check: checkController,
        }),
        {
          what: 'controllers',
          least: 1,
          most: 9,
        },
      ),
    ),
    `Where the controllers answer; the port is ${controllerPort} when left out`,
    ['controller'],
  ),
  machines: required(
    entries(machine, {
      what: 'a map of machines by name',
      least: 1,
      most: mostEntries,
      pattern: namePattern,
      refuseKey: refuseName,
    }),
    'The machines that serve together, by name',
    ['machine', 'nodes', 'servers', 'hosts'],
  ),
  entry: nested(entryShape, 'Where the cluster takes requests.', ['ports', 'listen']),
  addresses: withDefault(
    distinct(
      list(text({ expects: 'an IP address', schema: { maxLength: longestHost }, check: checkIp }), {
        what: 'addresses',
        least: 0,
        most: 2,
      }),
    ),
    [],
    [],
    'Virtual addresses that move between machines: one, or two for DNS round robin.',
    ['vips', 'vip', 'virtual'],
  ),
  advert: {
    ...withDefault(
      duration(leastAdvertMs, refuseAdvert),
      '100ms',
      usualAdvertMs,
      'How often the holder of an address announces it; after 3.6 times this without one, another machine takes it.',
      ['advert_int', 'interval'],
    ),
    stored: { fallback: usualAdvertMs },
  },
  drivers: nested(driversShape, 'Drivers that do the work on each machine.', ['driver']),
})

function checkNetwork(written: string): string | Refusal {
  return networkOf(written) ?? refuse(`"${written.slice(0, 60)}" is not a network such as 10.0.0.0/8`)
}

function checkIp(written: string): string | Refusal {
  const family = isIP(written)
  if (family === 0) return refuse(`"${written.slice(0, 60)}" is not an IP address`)
  if (notForMachines.check(written, family === 6 ? 'ipv6' : 'ipv4')) {
    return refuse(`${written} is not an address that a machine could hold for others`)
  }
  return canonical(written)
}

/**
 * Loopback, unspecified, link-local and multicast addresses: no machine beyond the own cable reaches these, or every
 * machine does.
 */
const notForMachines = new BlockList()
for (const net of ['127.0.0.0/8', '0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3']) block(net, 'ipv4')
for (const net of ['::/127', 'fe80::/10', 'ff00::/8']) block(net, 'ipv6')

function block(net: string, family: 'ipv4' | 'ipv6'): void {
  const [prefix = '', bits] = net.split('/')
  notForMachines.addSubnet(prefix, Number(bits), family)
}

/**
 * One form of each address, the one the system writes: so that two written forms of one address are recognized as the
 * same.
 */
const canonical = (address: string): string =>
  isIP(address) === 6 ? new SocketAddress({ address, family: 'ipv6' }).address : address

function checkAddress(written: string): string | Refusal {
  const lower = written.toLowerCase()
  // A name of digits and dots that is no address is a mistyped address, not a host.
  if (isIP(lower) !== 0) return canonical(lower)
  if (hostIsValid(lower) && !/^[\d.]+$/.test(lower)) return lower
  const host = /^\[?([^\]/]*)\]?:\d+$/.exec(lower)?.[1]
  if (host && (isIP(host) !== 0 || hostIsValid(host))) return refuse('an address has no port here', host)
  return refuse(`"${written.slice(0, 60)}" is not an IP address or host name`)
}

/** `10.0.0.10`, `host:7480` and `[::1]:7480`, each with its port. */
function checkController(written: string): string | Refusal {
  const bare = written.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(bare)
  const host = match?.[1] ?? match?.[2] ?? (isIP(bare) === 6 ? bare : '')
  const port = Number(match?.[3] ?? controllerPort)
  const checked = checkAddress(host)
  if (typeof checked !== 'string' || port < 1 || port > 65_535) {
    return refuse(`"${written.slice(0, 60)}" is not a controller such as 10.0.0.10:7480`)
  }
  const full = `${isIP(checked) === 6 ? `[${checked}]` : checked}:${port}`
  return bare === written ? full : refuse('write only host and port', full)
}
