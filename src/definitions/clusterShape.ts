import { isIP } from 'node:net'
import { mostEntries, mostTrustedProxies } from './bounds.ts'
import { driverKinds } from './driverKinds.ts'
import { featureKeys } from './features.ts'
import { namePattern, nameRule, refuseName } from './names.ts'
import { canonicalAddress, networkOf } from './network.ts'
import { hostIsValid, longestHost } from './pathRules.ts'
import { entries } from './shapes/entries.ts'
import { group, nested, optional, required, withDefault, type Key } from './shapes/group.ts'
import { distinct, list } from './shapes/list.ts'
import { number } from './shapes/number.ts'
import { refuse, type Refusal } from './shapes/refusal.ts'
import { choice, text } from './shapes/text.ts'

const controllerPort = 7480
const longestController = 300
const longestFolder = 4096
const port = number({ whole: true, least: 1, most: 65_535, what: 'a port' })

type Kinds = typeof driverKinds
type NameOf<Kind extends keyof Kinds> = keyof Kinds[Kind]['drivers'] & string
type OfEveryKind = { [Kind in keyof Kinds]: Key<NameOf<Kind>, NameOf<Kind>, null, false> }
type OfSomeKind = { [Kind in keyof Kinds]: Key<NameOf<Kind> | null, NameOf<Kind> | null, null, false> }

const everyKind = (key: (kind: Kinds[keyof Kinds]) => unknown): object =>
  Object.fromEntries(Object.entries(driverKinds).map(([name, kind]) => [name, key(kind)]))

export const driversShape = group(
  '`drivers`',
  everyKind(({ drivers, usual, does }) =>
    withDefault(choice(namesOf(drivers)), usual, usual, `${does}.`),
  ) as OfEveryKind, // made of them
)

const machine = group('a machine', {
  address: required(
    text({ expects: 'an IP address or host name', schema: { maxLength: longestHost }, check: checkAddress }),
    'How the other machines reach it: an IP address or a host name',
    ['host', 'ip', 'hostname'],
  ),
  drivers: {
    ...optional(
      group(
        '`drivers`',
        everyKind(({ drivers, does }) =>
          optional(choice(namesOf(drivers)), `${does} on this machine. Left out: the driver of the cluster.`),
        ) as OfSomeKind, // made of them
      ),
      'Drivers in which this machine differs from the cluster.',
      ['driver'],
    ),
    // The parser fills in the drivers of the cluster.
    stored: { kept: driversShape.kept, nullable: false },
  },
})

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
export const clusterKeys = {
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
  ...featureKeys,
  drivers: nested(driversShape, 'Drivers that do the work on each machine.', ['driver']),
}

export const clusterShape = group('the cluster', clusterKeys)
export type ClusterShape = typeof clusterShape

function checkNetwork(written: string): string | Refusal {
  return networkOf(written) ?? refuse(`"${written.slice(0, 60)}" is not a network such as 10.0.0.0/8`)
}

function checkAddress(written: string): string | Refusal {
  const lower = written.toLowerCase()
  // A name of digits and dots that is no address is a mistyped address, not a host.
  if (isIP(lower) !== 0) return canonicalAddress(lower)
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

function namesOf<R extends object>(registry: R): [keyof R & string, ...(keyof R & string)[]] {
  return Object.keys(registry) as [keyof R & string, ...(keyof R & string)[]] // each kind has a driver
}
