import { describe, expect, it } from 'vitest'
import { definitionSchema } from './definitionSchema.ts'
import { parseDefinition } from './parseDefinition.ts'
import { DefinitionError } from './problem.ts'

const parse = (more: string) => parseDefinition(`service: shop\nrun: ./server\n${more}`, 'tandem.yaml').definition
const problems = (more: string): string[] => {
  try {
    parse(more)
    return []
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error
    return error.problems.map(({ line, message }) => `${line}: ${message}`)
  }
}

describe('jail and notify', () => {
  it('leave no trace in a definition without them: its release keeps its id', () => {
    expect(Object.keys(parse(''))).not.toContain('jail')
    expect(Object.keys(parse('jail: { namespaces: false }\n'))).not.toContain('jail')
    expect(Object.keys(parse(''))).not.toContain('notify')
    expect(Object.keys(parse('').limits)).not.toContain('files')
  })

  it('are read as written, and cross a wire unchanged', () => {
    const definition = parse(
      'jail: { write: [/srv/uploads], scratch: [/var/log/shop], capabilities: [CAP_NET_RAW], systemCalls: ["@mount"], seeProcesses: true, user: shop }\n' +
        'notify: { watchdog: 30s }\nlimits: { files: 1000 }\n',
    )
    expect(definition.jail).toEqual({
      ...{
        write: ['/srv/uploads'],
        scratch: ['/var/log/shop'],
        capabilities: ['CAP_NET_RAW'],
        systemCalls: ['@mount'],
      },
      ...{ seeProcesses: true, user: 'shop' },
    })
    expect(definition.notify).toEqual({ watchdogMs: 30_000 })
    expect(definition.limits.files).toBe(1000)
    expect(definitionSchema.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition)
    expect(parse('notify: { ready: true }\n').notify).toEqual({ watchdogMs: null })
  })

  it.each([
    ['jail: { write: [srv] }\n', 'is not an absolute path'],
    ['jail: { write: ["/srv\\nExecStart=/bin/sh"] }\n', 'is not an absolute path'],
    ['jail: { scratch: [/etc/shop] }\n', 'is not a folder below /var, /run'],
    ['jail: { scratch: [/var/log/../lib/x] }\n', 'is not a folder below /var, /run'],
    ['jail: { scratch: [/var/log] }\n', 'is a folder that many programs use'],
    ['jail: { scratch: [/run/nologin] }\n', 'would keep people from logging in'],
    ['jail: { scratch: [/var/lib/tandem-data/shop] }\n', 'is a folder of Tandem'],
    ['jail: { scratch: [/run/systemd/system] }\n', 'is a folder of Tandem or systemd'],
    ['jail: { scratch: [/run/shop, /run/shop] }\n', 'occurs twice'],
    ['jail: { capabilities: [NET_RAW] }\n', 'CAP_NET_BIND_SERVICE'],
    ['jail: { addresses: [db.example.com] }\n', 'is not an address'],
    ['jail: { addresses: [10.0.0.256] }\n', 'is not an address'],
    ['jail: { addresses: [] }\n', ''],
    ['jail: { namespaces: yes }\n', 'expected true or false'],
    ['jail: { user: "root; rm" }\n', 'is not a user'],
    ['jail: { privileged: true }\n', 'privileged'],
    ['notify: { watchdog: 10ms }\n', 'too short; the least is 1000ms'],
  ])('%j is refused, with its line', (more, why) => {
    expect(problems(more)).toEqual([expect.stringMatching(new RegExp(`^3: .*${why}`, 's'))])
  })

  it('accepts as addresses IPv4 or IPv6, single or as a block, or localhost, and nothing else', () => {
    const accepted = [
      ...[
        '10.0.0.5',
        '10.1.0.0/16',
        '0.0.0.0/0',
        '::1',
        '::',
        'fe80::1/64',
        '2001:db8:0:1:2:3:4:5',
        '2001:db8::/32',
        'localhost',
      ],
    ]
    const refused = [
      ...[
        'any',
        '10.0.0',
        '10.0.0.1.2',
        '10.0.0.01',
        '10.0.0.1/33',
        '1::2::3',
        ':::',
        ':',
        '1:2:3',
        '2001:db8::/129',
        'g::1',
        '::1 ::2',
        '',
      ],
    ]
    for (const address of accepted)
      expect(parse(`jail: { addresses: ["${address}"] }\n`).jail).toEqual({ addresses: [address] })
    for (const address of refused) expect(problems(`jail: { addresses: ["${address}"] }\n`)).toHaveLength(1)
  })
})
