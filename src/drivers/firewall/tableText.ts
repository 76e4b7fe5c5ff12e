import { metadataAddresses, metadataPort } from '../../definitions/firewall/metadata.ts'
import { firewallTable } from '../../layout/firewall.ts'
import { canary } from './canary.ts'
import { outermost } from './outermost.ts'

/** The rules of one machine, in numbers. Text of nft(8) follows from nothing else. */
export interface TableRules {
  mode: 'observe' | 'enforce'
  /** User ids of root, the balancer and the agent: they may connect to everything. */
  free: readonly number[]
  /** User ids of the balancer: only they answer at the addresses of routes. */
  balancers: readonly number[]
  /** User ids that may connect to every route. */
  users: readonly number[]
  /** The ports of instances, and the user id of the service of each. */
  owners: readonly { uid: number; port: number }[]
  routes: readonly { address: string; port: number }[]
  /** Who may connect to which route. */
  may: readonly { uid: number; address: string; port: number }[]
  /** Services that may connect to these networks only, and to this machine's loopback. */
  confined: readonly { uid: number; networks: readonly string[] }[]
  /** Services that may not connect to the metadata address, but for those of the next list. */
  services: readonly number[]
  metadata: readonly number[]
}

/** The loopback addresses of services. */
export const routeNet = '127.77.0.0/16'
const table = `inet ${firewallTable}`
/** Longer than the week of which the counts tell. */
const kept = keptAs('8d')

/** The sets that a change of rules fills again. The others count, and keep their elements. */
const filled = {
  free: 'type uid;',
  users: 'type uid;',
  balancers: 'type uid;',
  instance_ports: 'type inet_service;',
  owners: 'type uid . inet_service;',
  routes: 'type ipv4_addr . inet_service;',
  may: 'type uid . ipv4_addr . inet_service;',
  confined: 'type uid;',
  networks: 'type uid . ipv4_addr; flags interval;',
  networks6: 'type uid . ipv6_addr; flags interval;',
  services: 'type uid;',
  metadata: 'type uid;',
} as const
type SetName = keyof typeof filled
const setNames = Object.keys(filled) as SetName[] // `Object.keys` forgets the names

/**
 * `seen` and `refused`: connections to routes; `refused_ports`: to instances; `refused_metadata`: to the metadata address;
 * `strangers`: answers of a wrong user.
 */
const counting = {
  seen: `type uid . ipv4_addr . inet_service; ${kept}`,
  refused: `type uid . ipv4_addr . inet_service; ${kept}`,
  refused_ports: `type uid . inet_service; ${kept}`,
  strangers: `type uid . inet_service; ${kept}`,
  refused_metadata: `type uid . inet_service; ${keptAs('1h')}`,
} as const

/**
 * Makes the table, or changes it, in one transaction; what it has counted stays. Only the packets that open a connection
 * are looked at: closed sockets have no user, and rules for every packet would drop packets of allowed users.
 */
export const tableText = (rules: TableRules): string =>
  [
    `add table ${table}`,
    ...Object.entries({ ...filled, ...counting }).map(([name, is]) => `add set ${table} ${name} { ${is} }`),
    ...chains(rules).flatMap(([name, hook]) => [
      `add chain ${table} ${name}${hook === null ? '' : ` { type filter hook ${hook} priority filter; policy accept; }`}`,
      `flush chain ${table} ${name}`,
    ]),
    ...chains(rules).flatMap(([name, , lines]) => lines.map((line) => `add rule ${table} ${name} ${line}`)),
    elementsText(rules),
  ].join('\n')

const opens = 'tcp flags & (syn | ack) == syn'
const answers = 'tcp flags & (syn | ack) == syn | ack'
/** Nearly all packets. Nothing below decides about them, and each rule costs time for each packet. */
const isOpen = 'tcp flags & syn == 0 accept'
const confine = 'meta skuid @confined jump confine'
const caller = 'meta skuid . ip daddr . tcp dport'

function chains({ mode }: TableRules): [string, string | null, string[]][] {
  const refuse = mode === 'enforce' ? ['reject with tcp reset'] : []
  const drop = mode === 'enforce' ? ['drop'] : []
  return [
    [
      'instance',
      null,
      [
        'meta skuid @free accept',
        'meta skuid . tcp dport @owners accept',
        'update @refused_ports { meta skuid . tcp dport }',
        ...refuse,
      ],
    ],
    ['called', null, [`update @seen { ${caller} }`, 'accept']],
    [
      'route',
      null,
      [
        `${caller} @may goto called`,
        'meta skuid @free accept',
        'meta skuid @users goto called',
        `update @refused { ${caller} }`,
        ...(mode === 'enforce' ? refuse : ['goto called']),
      ],
    ],
    [
      'answer_instance',
      null,
      ['meta skuid . tcp sport @owners accept', 'update @strangers { meta skuid . tcp sport }', ...drop],
    ],
    [
      'answer',
      null,
      [
        'oif "lo" tcp sport @instance_ports jump answer_instance',
        'oif "lo" ip saddr . tcp sport @routes jump answer_route',
        confine,
      ],
    ],
    ['answer_route', null, ['meta skuid @balancers accept', 'update @strangers { meta skuid . tcp sport }', ...drop]],
    [
      'confine',
      null,
      [
        'ip daddr 127.0.0.0/8 accept',
        'ip6 daddr ::1 accept',
        'meta skuid . ip daddr @networks accept',
        'meta skuid . ip6 daddr @networks6 accept',
        `${opens} reject with tcp reset`,
        `${answers} drop`,
        'meta l4proto != tcp drop',
      ],
    ],
    [
      'metadata_address',
      null,
      ['meta skuid @metadata return', 'update @refused_metadata { meta skuid . tcp dport }', ...refuse],
    ],
    [
      'out',
      'output',
      [
        isOpen,
        `${answers} goto answer`,
        // From here on each TCP packet opens a connection.
        'oif "lo" ip daddr . tcp dport @routes jump route',
        'oif "lo" tcp dport @instance_ports jump instance',
        `ip daddr ${canary.address} tcp dport ${canary.port} reject with icmpx type admin-prohibited`,
        ...Object.entries(metadataAddresses).map(
          ([family, address]) =>
            `${family} daddr ${address} tcp dport ${metadataPort} meta skuid @services jump metadata_address`,
        ),
        confine,
      ],
    ],
    [
      'in',
      'input',
      mode === 'enforce' ? [isOpen, `iif != "lo" ${opens} tcp dport @instance_ports reject with tcp reset`] : [],
    ],
  ]
}

/** Fills the sets again, also in one transaction. */
export function elementsText(rules: TableRules): string {
  const all = elementsOf(rules)
  return setNames.map((name) => filledText(name, all[name])).join('')
}

/** Turns the sets of this text, which `tableText` has made, into those of the rules; empty if they are the same. */
export function changedText(rules: TableRules, before: string): string {
  const [now, held] = [elementsOf(rules), elementsIn(before)]
  return setNames.map((name) => changedSet(name, now[name], held.get(name) ?? [])).join('')
}

/** Whether only sets differ from this text. */
export const hasSameRules = (rules: TableRules, before: string): boolean =>
  before.startsWith(tableText(rules).slice(0, -elementsText(rules).length))

/** The elements of each filled set, each once. */
function elementsOf(rules: TableRules): Record<SetName, string[]> {
  const { free, balancers, users, owners, routes, may, confined, services, metadata } = rules
  const of = (family: 4 | 6): string[] =>
    confined.flatMap(({ uid, networks }) =>
      outermost(networks)
        .filter((network) => network.includes(':') === (family === 6))
        .map((network) => `${uid} . ${network}`),
    )
  const all: Record<SetName, string[]> = {
    free: free.map(String),
    users: users.map(String),
    balancers: balancers.map(String),
    instance_ports: owners.map(({ port }) => `${port}`),
    owners: owners.map(({ uid, port }) => `${uid} . ${port}`),
    routes: routes.map(({ address, port }) => `${address} . ${port}`),
    may: may.map(({ uid, address, port }) => `${uid} . ${address} . ${port}`),
    confined: confined.map(({ uid }) => `${uid}`),
    networks: of(4),
    networks6: of(6),
    services: services.map(String),
    metadata: metadata.map(String),
  }
  for (const name of setNames) all[name] = [...new Set(all[name])]
  return all
}

/** The elements that this text, made by `tableText`, adds to each set. */
const elementsIn = (text: string): Map<string, string[]> =>
  new Map(
    [...text.matchAll(/^add element \S+ \S+ (\S+) \{ (.+) \}$/gm)].map(([, name = '', all = '']) => [
      name,
      all.split(', '),
    ]),
  )

const command = (what: 'add' | 'delete', name: SetName, all: readonly string[]): string =>
  all.length === 0 ? '' : `${what} element ${table} ${name} { ${all.join(', ')} }\n`

const filledText = (name: SetName, all: readonly string[]): string =>
  `flush set ${table} ${name}\n${command('add', name, all)}`

/** Each removal makes nft wait until the kernel has freed the element; a start mostly only adds. */
function changedSet(name: SetName, now: readonly string[], before: readonly string[]): string {
  const [added, removed] = [without(now, before), without(before, now)]
  // A network may lie in one that goes or comes: nft refuses what overlaps meanwhile.
  if (filled[name].includes('interval')) return added.length + removed.length === 0 ? '' : filledText(name, now)
  return command('delete', name, removed) + command('add', name, added)
}

function without(all: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others)
  return all.filter((one) => !known.has(one))
}

/** A set that packets fill. */
function keptAs(timeout: string): string {
  return `flags dynamic,timeout; counter; timeout ${timeout}; size 65535;`
}
