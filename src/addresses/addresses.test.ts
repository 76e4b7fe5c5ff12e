import { describe, expect, it } from 'vitest'
import type { ClusterDefinition } from '../definitions/cluster.ts'
import { desiredState } from '../decider/desiredState.ts'
import { drain, given, patch, ready } from '../decider/testing/given.ts'

const [one, two] = ['10.0.0.50', '10.0.0.51']
const since = '2026-01-01T00:00:00.000Z'

const clusterOf = (addresses: string[]): ClusterDefinition => {
  const drivers = { supervisor: 'systemd', balancer: 'haproxy', address: 'keepalived' } as const
  const machines = Object.fromEntries(['a', 'b'].map((name) => [name, { address: `10.0.0.${name}`, drivers }]))
  const entry = { http: 80, https: 443, certificates: null, trustedProxies: [] }
  return { cluster: 'test', controllers: ['c:7480'], machines, entry, addresses, advert: 100, drivers }
}

const named = (...addresses: string[]) =>
  given('a', 'b')
    .running('r1')
    .when(() => ({ type: 'ApplyCluster', cluster: clusterOf(addresses), force: false }))

type World = ReturnType<typeof named>

const holds = (world: World, machine: string, addresses: string[], over = {}): World => {
  const held = addresses.map((address) => ({ address, since }))
  const fake = world.world.machine(machine)
  fake.addresses = { held, withheld: null, trouble: null, reaches: [], ...over }
  // The driver has applied the newest state.
  fake.applied.address = world.world.state.position
  world.world.round(machine)
  fake.applied.address = world.world.state.position
  return world
}

const tells = (world: World, machine: string) => desiredState(world.world.state, machine).addresses
const seen = (world: World): string[] => world.lines().filter((line) => line.startsWith('10.'))

describe('a virtual address', () => {
  it('is taken, released, and taken elsewhere, each with its reason', () => {
    const world = holds(named(one), 'a', [one])
    expect(seen(world)).toEqual([`${one} taken by a from null: no machine held it`])
    holds(world, 'a', [], { withheld: 'HAProxy does not run' })
    holds(world, 'b', [one])
    expect(seen(world)).toEqual([
      `${one} released by a: HAProxy does not run`,
      `${one} taken by b from a: a: HAProxy does not run`,
    ])
    expect(world.world.state.addresses[one]).toMatchObject({ holder: 'b', from: 'a', why: 'a: HAProxy does not run' })
  })

  it('is one event per move, also when the machine that lost it does not report', () => {
    const world = holds(holds(named(one), 'a', [one]).on('a', { alive: false }), 'b', [one])
    expect(seen(world).at(-1)).toBe(`${one} taken by b from a: b no longer heard a`)
    holds(world, 'b', [one])
    expect(seen(world)).toEqual([])
  })

  it('is not contested by a machine that does not know yet that another took it', () => {
    const world = holds(holds(named(one), 'a', [one]), 'b', [one])
    const fake = world.world.machine('a')
    fake.applied.address = 0
    world.world.round('a')
    expect(seen(world)).toEqual([
      `${one} taken by a from null: no machine held it`,
      `${one} taken by b from a: b no longer heard a`,
    ])
    expect(tells(world, 'a').refused).toEqual([])
  })

  it('held by two goes to the machine that took it last; the other is refused it as long as that machine holds it', () => {
    const world = holds(holds(holds(named(one), 'a', [one]), 'b', [one]), 'a', [one])
    expect(seen(world).at(-1)).toBe(`${one} contested: b, not a`)
    expect([tells(world, 'a').refused, tells(world, 'b').refused]).toEqual([[one], []])
    // The machine released the address and takes it again in vain, as after a while without the controller.
    holds(holds(holds(world, 'a', []), 'a', [one]), 'b', [one])
    expect(seen(world)).toEqual([`${one} released by a: its keepalived released it`])
    expect(tells(world, 'a').refused).toEqual([one])
  })

  it('is refused to no machine once the named one releases it, is lost, or both reach each other again', () => {
    const contested = (): World => {
      const world = holds(holds(holds(named(one), 'a', [one]), 'b', [one]), 'a', [one])
      holds(world, 'a', [])
      expect(tells(world, 'a').refused).toEqual([one])
      return world
    }
    expect(tells(holds(contested(), 'b', []), 'a').refused).toEqual([])
    expect(tells(contested().on('b', { alive: false }).passing(11_000), 'a').refused).toEqual([])
    const settled = holds(contested(), 'a', [], { reaches: ['b'] })
    expect(tells(settled, 'a').refused).toEqual([one])
    expect(seen(settled.passing(11_000)).at(-1)).toBe(`${one} settled`)
    expect(tells(settled, 'a').refused).toEqual([])
  })

  it('leaves a machine that is drained before that machine gives up its work', () => {
    const world = holds(named(one), 'a', [one]).when(drain('a'))
    expect(tells(world, 'a').yields).toEqual([one])
    world.world.round('b')
    holds(world, 'a', [one])
    expect(world.world.state.machines['a']?.traffic).toBe('unforwarding')
    holds(world, 'b', [one])
    holds(world, 'a', [])
    world.settled()
    expect(world.world.state.machines['a']?.traffic).toBe('drained')
    expect(world.lines()).toContain(`${one} taken by b from a: machine a is taken out of traffic`)
    expect(tells(world.when(ready('a')), 'a').yields).toEqual([])
  })

  it('counts as still held by a machine that has not reported since the controller started', () => {
    const world = holds(holds(named(one), 'a', [one]), 'b', []).when(drain('a'))
    world.world.observed = {}
    world.world.round('b')
    expect(world.world.state.machines['a']?.traffic).toBe('unforwarding')
  })

  it('that no other machine takes does not delay a drain for ever', () => {
    const world = holds(named(one), 'a', [one]).when(drain('a')).passing(12_000)
    expect(world.lines()).toContain('a drain stepped')
  })

  it('that a script takes out of an external balancer has more time', () => {
    const cluster = clusterOf([one])
    for (const machine of Object.values(cluster.machines)) machine.drivers = { ...machine.drivers, address: 'command' }
    const world = given('a', 'b')
      .running('r1')
      .when(() => ({ type: 'ApplyCluster', cluster, force: false }))
    holds(world, 'b', [])
    world.when(drain('a')).passing(300_000)
    expect(world.lines()).toEqual(['a drain started'])
    holds(world, 'a', []).settled()
    expect(world.lines()).toEqual(['a drain stepped', 'a drained'])
  })

  it('returns to its preferred machine where there are two, gently, once both have been healthy for a while', () => {
    const world = holds(holds(named(one, two), 'a', [one, two]), 'b', [])
    world.lines()
    expect(seen(world.passing(9_000))).toEqual([])
    expect(seen(world.passing(2_000))).toEqual([`${two} goes back from a to b`])
    expect([tells(world, 'a').yields, tells(world, 'b').yields]).toEqual([[two], []])
    holds(holds(world, 'a', [one]), 'b', [two])
    expect(tells(world, 'a').yields).toEqual([])
    expect(seen(world.passing(60_000)).at(-1)).toBe(`${two} taken by b from a: a: its keepalived released it`)
  })

  it('that the preferred machine does not take stays, and is tried again much later', () => {
    const world = holds(holds(named(one, two), 'a', [one, two]), 'b', []).passing(12_000)
    expect(seen(world).at(-1)).toBe(`${two} goes back from a to b`)
    expect(seen(world.passing(300_000))).toEqual([`${two} not back: b did not take the address`])
    expect(tells(world, 'a').yields).toEqual([])
    expect(seen(world.passing(400_000)).at(0)).toBe(`${two} goes back from a to b`)
  })

  it('is not sent to a machine that could not take it, and comes back at once from one that fails meanwhile', () => {
    const ill = { trouble: 'keepalived does not run' }
    const world = holds(holds(named(one, two), 'a', [one, two]), 'b', [], ill)
    world.lines()
    expect(seen(world.passing(60_000))).toEqual([])
    holds(world, 'b', [])
    expect(seen(world.passing(2_000))).toEqual([`${two} goes back from a to b`])
    holds(world, 'b', [], ill)
    expect(seen(world.passing(1_000))).toEqual([`${two} not back: b: keepalived does not run`])
    expect(tells(world, 'a').yields).toEqual([])
  })

  it('held by both again right after they reached each other stays for long: only VRRP is blocked', () => {
    const world = holds(holds(holds(named(one), 'a', [one]), 'b', [one]), 'a', [one])
    holds(world, 'a', [], { reaches: ['b'] })
    expect(seen(world.passing(11_000)).at(-1)).toBe(`${one} settled`)
    holds(holds(holds(world, 'a', [one]), 'b', [one]), 'b', [one])
    expect(seen(world).at(-1)).toBe(`${one} contested: a, not b`)
    holds(world, 'b', [], { reaches: ['a'] })
    world.lines()
    expect(seen(world.passing(500_000))).toEqual([])
    expect(seen(world.passing(110_000))).toEqual([`${one} settled`])
  })

  it('is not taken off the only machine that can hold it, unless forced', () => {
    const world = holds(holds(named(one), 'a', [one]), 'b', [], { trouble: 'keepalived does not run' })
    const refusal = { code: 'E_LAST_INSTANCE', subject: 'a' }
    expect(world.when(drain('a')).decision).toMatchObject(refusal)
    expect(world.when(patch(['a', 'b'])).decision).toMatchObject(refusal)
    expect(world.when(drain('b')).decision.type).toBe('accepted')
    expect(world.settled().when(ready('b')).settled().when(drain('a', true)).decision.type).toBe('accepted')
  })

  it('stays with the other machine until the patched machine could take it', () => {
    const world = holds(holds(named(one), 'b', [one]), 'a', [])
    world
      .when(patch(['a', 'b']))
      .passing(11_000)
      .settled()
    expect(world.lines().at(-1)).toBe('a return')
    holds(world, 'a', [], { trouble: 'keepalived does not run' })
    const lines = world.passing(20_000).lines()
    expect(lines.at(-1)).toBe('maintenance stopped: machine a takes no virtual address: a: keepalived does not run')
    expect(world.world.state.machines['b']?.traffic).toBe('ready')
  })

  it('that is the only one stays', () => {
    const world = holds(holds(named(one), 'b', [one]), 'a', [])
    world.lines()
    expect(seen(world.passing(60_000))).toEqual([])
  })

  it('depends on whether another machine serves, which each machine learns', () => {
    const world = named(one)
    expect(tells(world, 'a').othersServe).toBe(true)
    world.on('b', { fates: { r1: 'fails' } })
    world.and((all) => all.machine('b').crash('r1')).settled()
    expect(tells(world, 'a').othersServe).toBe(false)
  })
})
