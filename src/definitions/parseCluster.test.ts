import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clusterShape } from './clusterShape.ts'
import { parseCluster } from './parseCluster.ts'
import { DefinitionError } from './problem.ts'

const minimal = 'cluster: production\ncontrollers: [10.0.0.10]\nmachines: { a: { address: 10.0.0.11 } }\n'

function problems(text: string): string[] {
  try {
    parseCluster(text, 'cluster.yaml')
    return []
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error
    return error.problems.map(
      ({ line, column, message, suggestion }) =>
        `${line}:${column} ${message}${suggestion === null ? '' : ` -> ${suggestion}`}`,
    )
  }
}

describe('docs/cluster.example.yaml', () => {
  const example = readFileSync(new URL('../../docs/cluster.example.yaml', import.meta.url), 'utf8')

  it('is valid, and names every key', () => {
    expect(problems(example)).toEqual([])
    const keys = Object.keys(clusterShape.schema.properties ?? {})
    expect(keys.filter((key) => !new RegExp(`^(?:# )?${key}:`, 'm').test(example))).toEqual([])
  })

  it('is also valid with the settings that it shows in comments', () => {
    expect(problems(example.replaceAll(/^# (?=\w+:)/gm, ''))).toEqual([])
  })
})

describe('a cluster file', () => {
  it('has every default', () => {
    const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' }
    expect(parseCluster(minimal, 'f')).toEqual({
      cluster: {
        cluster: 'production',
        controllers: ['10.0.0.10:7480'],
        machines: { a: { address: '10.0.0.11', drivers } },
        entry: { http: 80, https: 443, certificates: null, trustedProxies: [] },
        addresses: [],
        advert: 100,
        drivers,
      },
      warnings: [],
    })
  })

  it('reads every key', () => {
    const { cluster } = parseCluster(
      `
cluster: production
controllers: [10.0.0.10:7481, control.example.com, "[FD00::1]:80", "fd00::2"]
machines:
  a: { address: A.example.com }
  b: { address: "fd00::12", drivers: { balancer: embedded } }
entry: { http: 8080, https: 8443, certificates: certs/ }
addresses: [10.0.0.50, "FD00::50"]
advert: 1s
drivers: { supervisor: process, address: none }
`,
      'f',
    )
    const drivers = { supervisor: 'process', balancer: 'haproxy', address: 'none' }
    expect(cluster).toEqual({
      cluster: 'production',
      controllers: ['10.0.0.10:7481', 'control.example.com:7480', '[fd00::1]:80', '[fd00::2]:7480'],
      machines: {
        a: { address: 'a.example.com', drivers },
        b: { address: 'fd00::12', drivers: { ...drivers, balancer: 'embedded' } },
      },
      entry: { http: 8080, https: 8443, certificates: 'certs/', trustedProxies: [] },
      addresses: ['10.0.0.50', 'fd00::50'],
      advert: 1_000,
      drivers,
    })
  })

  it('reports all problems at once', () => {
    expect(problems('clutser: x\ncontrollers: []\nmachines: {}\n')).toEqual([
      '1:1 unknown key `clutser` in the cluster -> cluster',
      '2:14 the list of controllers is empty',
      '3:11 is empty; expected a map of machines by name',
    ])
  })

  it.each<[string, string[]]>([
    ['entry: { trustedProxies: [10.0.0.0/33] }', ['4:27 "10.0.0.0/33" is not a network such as 10.0.0.0/8']],
    ['entry: { htp: 1 }', ['4:10 unknown key `htp` in `entry` -> http']],
    ['entry: { http: 0 }', ['4:16 0 is out of range; expected a port: a whole number from 1 to 65535']],
    ['entry: { http: 443, certificates: c }', ['4:16 http and https need different ports']],
    ['addresses: [10.0.0.1, 10.0.0.2, 10.0.0.3]', ['4:12 the list has 3 addresses; at most 2 are allowed']],
    ['addresses: [10.0.0.11]', [`4:13 10.0.0.11 is machine a's own address; a virtual one must be free`]],
    ['addresses: [10.0.0.50, 10.0.0.50]', ['4:24 "10.0.0.50" occurs twice in this list']],
    [
      'addresses: ["fd00::50", "FD00:0::50"]',
      [
        '4:12 machines announce these addresses over 10.0.0.11: at least one must be IPv4 too',
        '4:25 "fd00::50" occurs twice in this list',
      ],
    ],
    [
      'addresses: ["fd00::50"]',
      ['4:12 machines announce these addresses over 10.0.0.11: at least one must be IPv4 too'],
    ],
    ['addresses: [127.0.0.5]', ['4:13 127.0.0.5 is not an address that a machine could hold for others']],
    ['addresses: ["fe80::1"]', ['4:13 fe80::1 is not an address that a machine could hold for others']],
    [
      'addresses: [10.0.0.50]\ndrivers: { supervisor: process }',
      ['3:16 keepalived needs systemd; write `drivers: { supervisor: systemd }` or `{ address: none }`'],
    ],
    ['advert: 20ms', ['4:9 20ms is too short; the least is 50ms']],
    ['advert: 1m', ['4:9 too long: after a failure no machine would answer for 3.6 times this; the most is 10s']],
    ['advert: 125ms', ['4:9 VRRP counts hundredths of a second: write a multiple of 10ms']],
    ['addresses: [10.0.0.300]', ['4:13 "10.0.0.300" is not an IP address']],
    ['drivers: { supervisor: sytemd }', ['4:24 "sytemd" is none of systemd, process -> systemd']],
  ])('%j', (more, expected) => {
    expect(problems(minimal + more)).toEqual(expected)
  })

  it.each<[string, string[]]>([
    ['{ a: { address: 10.0.0.1 }, b: { address: 10.0.0.1 } }', ['3:53 10.0.0.1 is already the address of machine a']],
    ['{ a: {} }', ['3:16 the required key `address` is missing (How the other machines reach it)']],
    ['{ a: { address: 10.0.0.1:80 } }', ['3:27 an address has no port here -> 10.0.0.1']],
    ['{ a: { address: 10.0.0 } }', ['3:27 "10.0.0" is not an IP address or host name']],
    [
      '{ A: { address: h } }',
      ['3:13 `A` is not a name: a to z, 0 to 9 and dashes, starting with a letter, at most 40 characters'],
    ],
    ['[a, b]', ['3:11 expected a map of machines by name, found a list']],
  ])('machines: %s', (machines, expected) => {
    expect(problems(`cluster: p\ncontrollers: [h]\nmachines: ${machines}\n`)).toEqual(expected)
  })

  it.each([
    ['http://h:80/', '2:15 write only host and port -> h:80'],
    ['h:99999', '2:15 "h:99999" is not a controller such as 10.0.0.10:7480'],
    ['"h:80:90"', '2:15 "h:80:90" is not a controller such as 10.0.0.10:7480'],
  ])('controller %s', (controller, expected) => {
    expect(problems(`cluster: p\ncontrollers: [${controller}]\nmachines: { a: { address: h } }\n`)).toEqual([expected])
  })

  it('warns of machines that can refuse nothing, unless nothing is to be refused', () => {
    const warnings = (more: string): string[] =>
      parseCluster(`${minimal}drivers: { supervisor: process }\n${more}`, 'f').warnings.map(({ message }) => message)
    expect([warnings(''), warnings('firewall: { mode: enforce }')].flat()).toEqual(
      Array(2).fill('nothing is refused on a: services have users of their own only with systemd'),
    )
    expect(warnings('firewall: { mode: observe }')).toEqual([])
  })

  it('warns about https without certificates, and about addresses that nothing moves', () => {
    const text = `${minimal}entry: { https: 443 }\naddresses: [10.0.0.50]\ndrivers: { address: none }`
    expect(parseCluster(text, 'f').warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '4 https is not served without `certificates`',
      '5 nothing moves these addresses with the driver `address: none`',
    ])
  })
})
