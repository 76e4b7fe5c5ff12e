import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canary } from './canary.ts'
import { callsOf, countedIn } from './countsOf.ts'
import type { Guard } from './firewall.ts'
import { connectionsIn, isRefused } from './openConnections.ts'
import { outermost } from './outermost.ts'
import { rulesOf, type GuardedUnit } from './rulesOf.ts'
import { changedText, elementsText, hasSameRules, tableText } from './tableText.ts'

const ids = new Map(Object.entries({ 'tandem-shop': 901, 'tandem-db': 902, zabbix: 60, media: 70, root: 0 }))
const known = {
  ...{ free: [0, 33, 34], balancers: [0, 33] },
  idOf: (user: string) => ids.get(user) ?? null,
  userOf: (service: string) => `tandem-${service}`,
}
const route = { address: '127.77.3.4', port: 5432, service: 'db', callers: ['shop', 'elsewhere'] }
const guard: Guard = { mode: 'enforce', users: ['zabbix', 'not-here'], routes: [route] }
const unit = (over: Partial<GuardedUnit> = {}): GuardedUnit => ({
  ...{ service: 'db', user: 'tandem-db', port: 18_001, networks: null },
  ...over,
})

/** The elements of each set after these commands, of which nft accepts none that removes something missing. */
function elementsAfter(before: ReadonlyMap<string, ReadonlySet<string>>, text: string): Map<string, Set<string>> {
  const sets = new Map([...before].map(([name, all]) => [name, new Set(all)]))
  for (const line of text.split('\n')) {
    const [, verb, name = '', list] =
      /^(flush set|add element|delete element) inet tandem (\S+)(?: \{ (.+) \})?$/.exec(line) ?? []
    if (verb === undefined) continue
    const set = verb === 'flush set' ? new Set<string>() : (sets.get(name) ?? new Set())
    for (const one of list?.split(', ') ?? []) {
      if (verb === 'add element') set.add(one)
      else expect(set.delete(one)).toBe(true)
    }
    sets.set(name, set)
  }
  return sets
}

describe('the rules of a machine', () => {
  it('follow from the routes and the units, in numbers; callers without a user here are left out', () => {
    expect(rulesOf(guard, [unit()], known)).toEqual({
      mode: 'enforce',
      ...{ free: [0, 33, 34], balancers: [0, 33], users: [60], confined: [] },
      owners: [{ uid: 902, port: 18_001 }],
      routes: [{ address: '127.77.3.4', port: 5432 }],
      may: [902, 901].map((uid) => ({ uid, address: '127.77.3.4', port: 5432 })),
      ...{ services: [], metadata: [] },
    })
  })

  it('know a service by the user of its units too: `jail: user`, and the one before', () => {
    const { may, owners } = rulesOf(guard, [unit(), unit({ user: 'media', port: 18_002 })], known)
    expect(owners.map(({ uid }) => uid)).toEqual([902, 70])
    expect(may.map(({ uid }) => uid)).toEqual([902, 70, 901])
  })

  it('keep services from the metadata address, but for those that name it, and nobody without that list', () => {
    const units = [unit(), unit({ service: 'shop', user: 'tandem-shop' }), unit({ user: 'root' })]
    expect(rulesOf({ ...guard, metadata: ['shop'] }, units, known)).toMatchObject({
      ...{ services: [902, 901], metadata: [901] },
    })
  })

  it.each([
    ['its networks', [['10.0.0.0/8']], [{ uid: 902, networks: ['10.0.0.0/8'] }]],
    ['those of both releases', [['10.0.0.1'], ['10.0.0.2']], [{ uid: 902, networks: ['10.0.0.1', '10.0.0.2'] }]],
    ['nothing, if its list is empty', [[]], [{ uid: 902, networks: [] }]],
    ['everything, while one release may', [['10.0.0.1'], null], []],
  ])('confine a service to %s', (_, units, expected) => {
    expect(
      rulesOf(
        guard,
        units.map((networks) => unit({ networks })),
        known,
      ).confined,
    ).toEqual(expected)
  })

  it('never confine root', () => {
    expect(rulesOf(guard, [unit({ user: 'root', networks: [] })], known).confined).toEqual([])
  })

  it('change only in their sets when instances come and go, and refuse nothing in the mode observe', () => {
    const before = tableText(rulesOf(guard, [unit()], known))
    const after = rulesOf(guard, [unit(), unit({ port: 18_002 })], known)
    expect(tableText(after)).toBe(`${before.slice(0, before.indexOf('flush set'))}${elementsText(after)}`)
    expect(elementsText(after)).toContain('add element inet tandem owners { 902 . 18001, 902 . 18002 }\n')
    expect(hasSameRules(after, before)).toBe(true)
    expect(changedText(after, before)).toBe(
      'add element inet tandem instance_ports { 18002 }\nadd element inet tandem owners { 902 . 18002 }\n',
    )
    expect(changedText(rulesOf(guard, [], known), before)).toBe(
      'delete element inet tandem instance_ports { 18001 }\ndelete element inet tandem owners { 902 . 18001 }\n',
    )
    expect(hasSameRules(rulesOf({ ...guard, mode: 'observe' }, [unit()], known), before)).toBe(false)
    const deciding = (mode: Guard['mode']): string[] =>
      tableText(rulesOf({ ...guard, mode }, [], known))
        .split('\n')
        .filter((line) => line.startsWith('add rule') && !line.includes(' confine ') && /reject|drop/.test(line))
    expect(deciding('enforce').length).toBeGreaterThan(4)
    expect(deciding('observe')).toEqual([expect.stringContaining(`ip daddr ${canary.address}`)])
  })

  it('are the same after any changes as when they are made as a whole', () => {
    const all = fc.array(
      fc.record({
        service: fc.constantFrom('shop', 'db', 'media'),
        user: fc.constantFrom('tandem-shop', 'tandem-db', 'media', 'root', 'nobody-here'),
        port: fc.option(fc.integer({ min: 18_001, max: 18_006 })),
        networks: fc.option(fc.subarray(['10.0.0.0/8', '10.0.0.1', '10.1.0.0/16', 'fd00::/8', 'fd00::1'])),
      }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(fc.array(all), fc.option(fc.constantFrom('shop', 'db')), (steps, metadata) => {
        let [before, sets] = ['', new Map<string, Set<string>>()]
        for (const units of steps) {
          const rules = rulesOf({ ...guard, ...(metadata === null ? {} : { metadata: [metadata] }) }, units, known)
          sets = elementsAfter(sets, before === '' ? tableText(rules) : changedText(rules, before))
          before = tableText(rules)
          expect(sets).toEqual(elementsAfter(new Map(), before))
          expect(changedText(rules, before)).toBe('')
        }
      }),
    )
  })

  it('contain no word that is not a number, an address or a name of nft', () => {
    const word = fc.string()
    const units = fc.array(
      fc.record({ service: word, user: word, port: fc.constant(18_001), networks: fc.constant(null) }),
    )
    fc.assert(
      fc.property(units, fc.array(word), (all, users) => {
        const text = elementsText(rulesOf({ ...guard, users }, all, known))
        expect(text).toMatch(/^[a-z0-9_ .,{}\n]*$/)
      }),
    )
  })
})

describe('networks', () => {
  it('that lie in another one are left out', () => {
    expect(outermost(['10.0.0.5', '10.0.0.0/8', 'fd00::1', 'fd00::/8', '192.0.2.0/24'])).toEqual([
      '10.0.0.0/8',
      'fd00::/8',
      '192.0.2.0/24',
    ])
    expect(outermost(['10.0.0.1/8', '10.0.0.0/8'])).toHaveLength(1)
  })
})

describe('counts', () => {
  const listed = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      {
        set: {
          name: 'seen',
          elem: [{ elem: { val: { concat: [901, '127.77.3.4', 5432] }, counter: { packets: 3, bytes: 180 } } }],
        },
      },
    ],
  })
  const names = {
    callerOf: (uid: number) => ({ 901: 'shop' })[uid] ?? `user ${uid}`,
    routeOf: (one: string) => (one === '127.77.3.4 5432' ? 'db' : null),
    ownerOf: (port: number) => (port === 18_001 ? 'db' : null),
  }

  it('come from the sets of nft, which may be empty', () => {
    expect(countedIn(listed)).toEqual([{ words: ['901', '127.77.3.4', '5432'], count: 3 }])
    expect(countedIn('{"nftables":[{"set":{"name":"seen"}}]}')).toEqual([])
  })

  it('are added for each pair of a caller and a service; ports of nobody are left out', () => {
    const refused = [{ words: ['60', '127.77.3.4', '5432'], count: 2 }]
    const refusedPorts = [18_001, 18_009].map((port) => ({ words: ['60', `${port}`], count: 1 }))
    expect(callsOf({ seen: countedIn(listed), refused, refusedPorts }, names)).toEqual([
      { from: 'shop', to: 'db', port: 5432, seen: 3, refused: 0 },
      { from: 'user 60', to: 'db', port: 18_001, seen: 0, refused: 3 },
    ])
  })
})

describe('open connections', () => {
  const rules = rulesOf(guard, [unit()], known)
  const line = (uid: string, to = '127.77.3.4:5432', from = '127.0.0.1:40414'): string =>
    `0      0      ${from} ${to} ${uid} ino:24444418 sk:81 cgroup: <->`

  it.each([
    ['of a service that uses the other', line('uid:901'), false],
    ['of a service that does not', line('uid:950'), true],
    ['of root', line(''), false],
    ['of a user that the cluster file names', line('uid:60'), false],
    ['to a port of nobody', line('uid:950', '127.77.3.4:80'), false],
    ['of a service past the balancer', line('uid:901', '127.0.0.1:18001'), true],
    ['the same over IPv6', line('uid:901', '[::1]:18001', '[::1]:40414'), true],
    ['the same at an outside address', line('uid:901', '10.0.0.1:18001', '10.0.0.1:40414'), true],
    ['of the balancer to an instance', line('uid:33', '127.0.0.1:18001'), false],
    ['at its end in the instance', line('uid:902', '127.0.0.1:40414', '127.0.0.1:18001'), false],
    ['of an instance to itself', line('uid:902', '127.0.0.1:18001'), false],
    ['from another computer to an instance', line('uid:902', '10.0.0.9:40414', '10.0.0.1:18001'), true],
    ['to the same port of another computer', line('uid:901', '10.0.0.9:18001', '10.0.0.1:40414'), false],
  ])('%s', (_, text, expected) => {
    const [one] = connectionsIn(`${text}\n`)
    expect(one && isRefused(one, rules)).toBe(expected)
  })
})
