import { describe, expect, it } from 'vitest'
import type { DesiredRoute } from '../protocol/services.ts'
import { deploy, drain, given, remove, stop } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'

const routesOn = (world: World, machine: string): DesiredRoute[] => world.machine(machine).desire?.routes ?? []
const matches = (world: World, machine: string): string[] =>
  routesOn(world, machine).map(({ match, service }) =>
    match.kind === 'tcp' ? `:${match.port} ${service}` : `${match.host ?? '*'}${match.path} ${service}`,
  )

describe('routes', () => {
  it('by default are any host, and on a laptop SERVICE.localhost; the second service gets only that', () => {
    const then = given('a').running('r1').running('q1', { service: 'blog' })
    expect(matches(then.world, 'a')).toEqual(['*/ shop', 'shop.localhost/ shop', 'blog.localhost/ blog'])
    then
      .when(remove())
      .settled()
      .published('q2', { service: 'blog' })
      .when(deploy('q2', { service: 'blog' }))
      .settled()
    expect(matches(then.world, 'a')).toEqual(['*/ blog', 'blog.localhost/ blog'])
  })

  it('off a laptop have no SERVICE.localhost, and a second default is refused', () => {
    const world = new World(['a'], undefined, { cluster: 'production', laptop: false })
    const roll = (service: string, release: string) =>
      world.send({
        type: 'StartRollout',
        kind: 'deploy',
        rollout: world.nextId(),
        allowOutage: false,
        removeData: false,
        service,
        release,
      })
    world.publish('r1', aDefinition())
    world.publish('q1', aDefinition({ service: 'blog' }))
    roll('shop', 'r1')
    world.settle()
    expect(matches(world, 'a')).toEqual(['*/ shop'])
    expect(roll('blog', 'q1')).toMatchObject({ type: 'refused', code: 'E_ROUTE_TAKEN' })
  })

  it('name the host of the probes, besides definitions that agents of any version accept', () => {
    const routes = [{ host: 'shop.example.com', path: '/' }]
    const then = given('a').running('r1', { routes, health: { ...aDefinition().health, host: null } })
    then.running('q1', { service: 'blog', routes: [{ host: 'blog.example.com', path: '/' }] })
    const { definitions, probeHosts } = then.world.machine('a').desire ?? {}
    expect(Object.values(probeHosts ?? {})).toEqual(['shop.example.com'])
    const keys = Object.values(definitions ?? {}).map(({ health }) => Object.keys(health))
    expect(keys).toEqual([Object.keys(aDefinition().health), Object.keys(aDefinition().health)])
  })

  it('of tcp services are ports; workers have none', () => {
    const then = given('a').running('r1', { listen: 'tcp', routes: [{ port: 5672 }] })
    then.running('q1', { service: 'blog', listen: 'none' })
    expect(matches(then.world, 'a')).toEqual([':5672 shop'])
  })

  it('of a stopped service stay, so that no other service gets its requests; its ports are closed', () => {
    const then = given('a')
      .running('r1')
      .running('q1', { service: 'blog', routes: [{ host: null, path: '/blog' }] })
    then.running('p1', { service: 'queue', listen: 'tcp', routes: [{ port: 5672 }] })
    then
      .when(stop({ service: 'blog' }))
      .settled()
      .when(stop({ service: 'queue' }))
      .settled()
    expect(matches(then.world, 'a')).toEqual(['*/ shop', 'shop.localhost/ shop', '*/blog blog', 'blog.localhost/ blog'])
    then.when(remove({ service: 'blog' })).settled()
    expect(matches(then.world, 'a')).toEqual(['*/ shop', 'shop.localhost/ shop'])
  })

  it('are the union while an old instance is left, each leading only to releases that declare it', () => {
    const then = given('a', 'b').running('r1', {
      routes: [
        { host: 'x.example', path: '/' },
        { host: 'y.example', path: '/' },
      ],
    })
    then.published('r2', {
      routes: [
        { host: 'y.example', path: '/' },
        { host: 'z.example', path: '/' },
      ],
    })
    then.when(deploy('r2')).until('a done')
    const during = routesOn(then.world, 'a').map(({ match, releases, forwardTo }) => [
      match.kind === 'http' ? match.host : null,
      releases,
      forwardTo,
    ])
    expect(during).toEqual([
      ['x.example', ['r1'], ['b']],
      ['y.example', ['r1', 'r2'], ['b']],
      ['shop.localhost', ['r1', 'r2'], ['b']],
      ['z.example', ['r2'], []],
    ])
    then.settled()
    expect(matches(then.world, 'a')).toEqual(['y.example/ shop', 'z.example/ shop', 'shop.localhost/ shop'])
  })

  it("stay unchanged when the rollout is reverted, and the new release's routes are free again", () => {
    const then = given('a').running('r1', { routes: [{ host: 'x.example', path: '/' }] })
    then.published('r2', { routes: [{ host: 'z.example', path: '/' }] }).on('a', { fates: { r2: 'fails' } })
    then.when(deploy('r2')).settled()
    expect(matches(then.world, 'a')).toEqual(['x.example/ shop', 'shop.localhost/ shop'])
    const other = then.published('q1', { service: 'blog', routes: [{ host: 'z.example', path: '/' }] })
    expect(other.when(deploy('q1', { service: 'blog' })).decision.type).toBe('accepted')
  })

  it('of a new release are held while its rollout runs', () => {
    const then = given('a')
      .running('r1')
      .published('r2', { routes: [{ host: 'z.example', path: '/' }] })
    then.when(deploy('r2')).published('q1', { service: 'blog', routes: [{ host: 'z.example', path: '/' }] })
    expect(then.when(deploy('q1', { service: 'blog' })).decision).toMatchObject({ code: 'E_ROUTE_TAKEN' })
  })

  it('are taken over from a service that gave them up', () => {
    const then = given('a').running('r1', { routes: [{ host: 'x.example', path: '/' }] })
    then.running('r2', { routes: [{ host: 'y.example', path: '/' }] })
    then.running('q1', { service: 'blog', routes: [{ host: 'x.example', path: '/' }] })
    expect(matches(then.world, 'a')).toContain('x.example/ blog')
  })
})

describe('forwarding', () => {
  it('goes to other machines that serve, also from machines without an instance', () => {
    const then = given('a', 'b', 'c').running('r1', { machines: ['a', 'b'] })
    expect(['a', 'b', 'c'].map((name) => routesOn(then.world, name)[0]?.forwardTo)).toEqual([['b'], ['a'], ['a', 'b']])
  })

  it('never goes to a machine being drained', () => {
    const then = given('a', 'b', 'c').running('r1').when(drain('a')).settled()
    expect(['a', 'b', 'c'].map((name) => routesOn(then.world, name)[0]?.forwardTo)).toEqual([['b', 'c'], ['c'], ['b']])
  })
})

describe('the desired state', () => {
  it('carries every definition that it names, the limits of the routes, and how to reach the peers', () => {
    const then = given('a', 'b').running('r1', {
      idleMs: 60_000,
      limits: { ...aDefinition().limits, bodyBytes: 1_000 },
    })
    const desire = then.world.machine('a').desire
    expect(desire?.routes[0]).toMatchObject({ idleMs: 60_000, bodyBytes: 1_000, holdMs: null })
    expect(desire?.peers).toEqual([{ machine: 'b', host: '10.0.0.b', forwardPort: 81 }])
    expect(Object.keys(desire?.definitions ?? {})).toEqual(['r1'])
    expect(desire?.fetch).toEqual(['r1'])
    expect(desire?.keep).toEqual(['r1'])
  })
})
