import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Definition, PortRoute } from '../definitions/definition.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { RecordedEvent } from '../events/event.ts'
import { asDeclared } from '../protocol/declaredRoutes.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Decision } from '../decision/refuse.ts'
import { desiredState } from '../decider/desiredState.ts'
import { evolve } from '../decider/evolve.ts'
import { loopbackOf } from './loopback.ts'
import { unsaidPorts } from './openPorts.ts'
import { initialWorld, type World as State } from '../decider/rooms.ts'
import { rollback, deploy, remove, start, stop, type Request } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'

const production = { cluster: 'production', laptop: false }

/** A cluster of servers. */
class Servers {
  readonly world: World
  constructor(config = production) {
    this.world = new World(['a', 'b'], undefined, config)
  }

  ask(request: Request): Decision {
    const decision = this.world.send(request(this.world))
    this.world.settle()
    return decision
  }

  push(service: string, release: string, ...routes: PortRoute[]): Decision {
    return this.pushed(release, { service, listen: 'tcp', routes })
  }

  pushed(release: string, definition: Partial<Definition>): Decision {
    const whole = aDefinition(definition)
    this.world.publish(release, whole)
    return this.ask(deploy(release, { service: whole.service }))
  }

  /** The services that listen on a machine, with their ports: `*:5672 queue`, `127.77.1.2:6379 redis`. */
  ports(machine = 'a'): string[] {
    const { routes = [], localRoutes = [] } = this.world.machine(machine).desire ?? {}
    return [
      ...routes.flatMap(({ match, service }) => (match.kind === 'tcp' ? [`*:${match.port} ${service}`] : [])),
      ...localRoutes.map(({ match, service }) => `${match.address}:${match.port} ${service}`),
    ]
  }

  unsaid(service: string): number[] {
    const known = this.world.state.services[service]
    return known ? unsaidPorts(this.world.state, known) : []
  }
}

const byDefault = (port: number): PortRoute => ({ port, expose: 'local', byDefault: true })
const local = (port: number): PortRoute => ({ port, expose: 'local' })
const open = (port: number): PortRoute => ({ port, expose: 'public' })
const accepted = { type: 'accepted' }
const refused = (code: string) => ({ type: 'refused', code })

describe('a local port', () => {
  it("listens at the service's loopback address, the same on every machine, and nowhere an older agent would open it", () => {
    const servers = new Servers()
    servers.push('redis', 'r1', byDefault(6379))
    const address = servers.world.state.loopbacks['redis']
    expect(address).toMatch(/^127\.77\.\d+\.\d+$/)
    for (const machine of ['a', 'b']) {
      expect(servers.ports(machine)).toEqual([`${address}:6379 redis`])
      expect(servers.world.machine(machine).desire?.routes).toEqual([])
    }
  })

  it('may be the same for two services', () => {
    const servers = new Servers()
    servers.push('redis', 'r1', local(5432))
    expect(servers.push('shop', 's1', local(5432))).toMatchObject(accepted)
    expect(new Set(servers.ports()).size).toBe(2)
  })

  it('on a laptop is at 127.0.0.1, and so belongs to one service alone', () => {
    const servers = new Servers({ cluster: 'local', laptop: true })
    servers.push('redis', 'r1', byDefault(5432))
    expect(servers.ports()).toEqual(['127.0.0.1:5432 redis'])
    const second = servers.push('shop', 's1', byDefault(5432))
    expect(second).toMatchObject({ ...refused('E_ROUTE_TAKEN'), message: expect.stringContaining('127.0.0.1') })
  })

  it('is refused when it is a public port of another service: its clients could reach that service', () => {
    const servers = new Servers()
    servers.push('queue', 'q1', open(5672))
    servers.push('redis', 'r1', local(6379))
    expect(servers.push('other', 'o1', local(5672))).toMatchObject(refused('E_ROUTE_TAKEN'))
    expect(servers.push('other', 'o2', open(6379))).toMatchObject(refused('E_ROUTE_TAKEN'))
  })

  it('is refused when Tandem itself listens on it at every address', () => {
    const servers = new Servers()
    const decision = servers.pushed('r1', { service: 'web', listen: 'http', routes: [local(80)] })
    expect(decision).toMatchObject({ ...refused('E_ROUTE_TAKEN'), message: expect.stringContaining('the entry of') })
  })

  it('may carry http, besides the routes at the entry', () => {
    const servers = new Servers()
    servers.pushed('r1', { routes: [{ host: 'x.example', path: '/' }, local(8080)] })
    const { routes = [], localRoutes = [] } = servers.world.machine('b').desire ?? {}
    expect(routes.map(({ match }) => match)).toEqual([{ kind: 'http', host: 'x.example', path: '/' }])
    expect(localRoutes.map(({ match }) => match)).toMatchObject([{ kind: 'local', carries: 'http', port: 8080 }])
  })

  it('is refused while a machine has an agent that would not serve it', () => {
    const servers = new Servers()
    servers.world.machine('b').abilities = []
    servers.world.hear('b')
    const decision = servers.push('redis', 'r1', local(6379))
    expect(decision).toMatchObject({ ...refused('E_NO_ABILITY'), message: expect.stringContaining('machine b runs') })
    expect(servers.push('queue', 'q1', open(5672))).toMatchObject(accepted)
  })

  it('of a stopped service is closed; a service that is removed and comes back keeps its address', () => {
    const servers = new Servers()
    servers.push('redis', 'r1', local(6379))
    const before = servers.ports()
    servers.ask(stop({ service: 'redis' }))
    expect(servers.ports()).toEqual([])
    servers.ask(start({ service: 'redis' }))
    expect(servers.ports()).toEqual(before)
    servers.ask(remove({ service: 'redis' }))
    servers.world.state = servers.world.refold(JSON.parse(JSON.stringify(servers.world.log)))
    servers.push('redis', 'r2', local(6379))
    expect(servers.ports()).toEqual(before)
    expect(servers.world.log.filter(({ type }) => type === 'LoopbackAssigned')).toHaveLength(1)
  })
})

describe('loopback addresses', () => {
  const assign = (names: string[]): State['loopbacks'] => {
    const state = initialWorld(production)
    return names.reduce<State['loopbacks']>(
      (loopbacks, name) => ({ ...loopbacks, [name]: loopbackOf({ ...state, loopbacks }, name) ?? 'none' }),
      {},
    )
  }

  it('lie in 127.77.0.0/16, end in neither .0 nor .255, and no two services have the same', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/), { minLength: 50, maxLength: 300 })
    fc.assert(
      fc.property(names, (some) => {
        const given = Object.values(assign(some))
        expect(new Set(given).size).toBe(some.length)
        for (const address of given) expect(address).toMatch(/^127\.77\.\d{1,3}\.(?!0$|255$)\d{1,3}$/)
      }),
      { numRuns: 20 },
    )
  })

  it('follow from the name, or are the next free one where that is taken', () => {
    const state = initialWorld(production)
    const first = loopbackOf(state, 'redis')
    expect(first).toBe(assign(['shop', 'redis'])['redis'])
    const second = loopbackOf({ ...state, loopbacks: { other: first ?? '' } }, 'redis')
    expect(second).not.toBe(first)
    expect(second).toMatch(/^127\.77\./)
  })

  it('are not assigned twice when all are taken', () => {
    const all = Array.from({ length: 256 * 254 }, (_, n) => `127.77.${Math.floor(n / 254)}.${(n % 254) + 1}`)
    const loopbacks = Object.fromEntries(all.map((address) => [`of-${address}`, address]))
    expect(loopbackOf({ ...initialWorld(production), loopbacks }, 'redis')).toBeNull()
  })
})

describe('a port that is public because its release is older than `expose`', () => {
  /** Log that commit 1cc9083 wrote for a push of redis with port 6379. */
  const written = JSON.parse(
    readFileSync(new URL('../decider/testing/logBeforeExpose.json', import.meta.url), 'utf8'),
  ) as RecordedEvent[] // that commit wrote it

  function upgraded(): Servers {
    const servers = new Servers()
    servers.world.nextId() // the log already has that id
    servers.world.log = [...written]
    servers.world.state = servers.world.refold()
    servers.world.lead()
    servers.world.settle()
    return servers
  }

  it('stays public, and is reported', () => {
    const servers = upgraded()
    expect(servers.ports()).toEqual(['*:6379 redis'])
    expect(servers.unsaid('redis')).toEqual([6379])
    const before = servers.world.log.length
    servers.ask(stop({ service: 'redis' }))
    expect(servers.unsaid('redis')).toEqual([])
    servers.ask(start({ service: 'redis' }))
    expect(servers.ports()).toEqual(['*:6379 redis'])
    expect(servers.unsaid('redis')).toEqual([6379])
    expect(servers.world.log.slice(before).some(({ type }) => type === 'LoopbackAssigned')).toBe(false)
  })

  it('is not closed by a push that does not mention it', () => {
    const servers = upgraded()
    const decision = servers.push('redis', 'r2', byDefault(6379))
    expect(decision).toMatchObject({
      ...refused('E_EXPOSE_UNSAID'),
      message: expect.stringContaining('tcp port 6379'),
      next: expect.stringMatching(/\{ port: 6379, expose: local \}.*\{ port: 6379, expose: public \}/),
    })
    expect(servers.ports()).toEqual(['*:6379 redis'])
    // This closes no other port.
    expect(servers.push('redis', 'r3', open(6379), byDefault(6380))).toMatchObject(accepted)
    expect(servers.unsaid('redis')).toEqual([])
  })

  it('is closed by a push that declares it local, once the last old instance is gone; going back opens it, with the warning', () => {
    const servers = upgraded()
    const { world } = servers
    world.machine('b').hangsAtStop = true
    expect(servers.push('redis', 'r2', local(6379))).toMatchObject(accepted)
    expect(servers.ports()).toEqual(['*:6379 redis'])
    const both = world.machine('a').desire?.routes.find(({ service }) => service === 'redis')
    expect(both?.releases).toEqual(['r1', 'r2'])
    world.machine('b').hangsAtStop = false
    world.settle()
    expect(servers.ports()).toEqual([`${world.state.loopbacks['redis']}:6379 redis`])

    expect(servers.ask((of) => ({ ...rollback()(of), service: 'redis' }) as ReturnType<Request>)).toMatchObject(
      accepted,
    )
    expect(servers.ports()).toEqual(['*:6379 redis'])
    expect(servers.unsaid('redis')).toEqual([6379])
    // This release has served before: it is not checked again.
    expect(servers.ask(deploy('r2', { service: 'redis' }))).toMatchObject(accepted)
    expect(servers.unsaid('redis')).toEqual([])
  })
})

describe('the desired state', () => {
  it('holds definitions in the form that agents from before `expose` read, and besides them the routes as written', () => {
    const servers = new Servers()
    const definition = { service: 'redis', listen: 'tcp', routes: [byDefault(6379), open(6380)] } as const
    servers.pushed('r1', { ...definition, routes: [...definition.routes] })
    servers.pushed('w1', { service: 'web', routes: [local(8080)] })
    servers.pushed('x1', { service: 'plain', routes: [{ host: 'x.example', path: '/' }] })
    const { definitions, declaredRoutes } = desiredState(servers.world.state, 'a')
    expect(definitions['r1']?.routes).toEqual([{ port: 6379 }, { port: 6380 }])
    expect(definitions['w1']?.routes).toBeNull()
    expect(Object.keys(declaredRoutes)).toEqual(['r1', 'w1'])
    for (const [release, { definition: published }] of Object.entries(servers.world.state.releases)) {
      const sent = definitions[release]
      expect(sent && asDeclared(sent, declaredRoutes[release])).toEqual(published)
    }
  })

  it('suffices to recover ports and addresses after the log was lost', () => {
    const { world, ports } = (() => {
      const servers = new Servers()
      servers.push('redis', 'r1', local(6379))
      servers.push('queue', 'q1', open(5672))
      return { world: servers.world, ports: servers.ports() }
    })()
    const held = ['a', 'b'].map((name): DesiredState => {
      const orders = { script: null, restart: null, settings: null, program: null }
      const known = { cluster: 'production', term: 7, terms: [], position: world.machine(name).position, program: null }
      return { ...desiredState(world.state, name), ...known, orders, serviceOrders: {} }
    })
    const next = new Servers()
    next.world.append({ type: 'LogRecovered', data: { id: 'rescue', version: 'test', term: 8, held } })
    const { state } = next.world
    expect(state.loopbacks).toEqual(world.state.loopbacks)
    const { routes, localRoutes } = desiredState(state, 'a')
    expect(routes.map(({ match }) => match)).toEqual([{ kind: 'tcp', port: 5672, address: null }])
    expect(localRoutes.map(({ match, service }) => `${match.address}:${match.port} ${service}`)).toEqual(
      ports.filter((one) => one.includes('redis')),
    )
    for (const release of ['r1', 'q1'])
      expect(state.releases[release]?.definition).toEqual(world.state.releases[release]?.definition)
  })

  it('folds the new event like any other', () => {
    const event = { type: 'LoopbackAssigned', data: { service: 'redis', address: '127.77.1.2' } } as const
    const state = evolve(initialWorld(production), { ...event, position: 1, at: '2026-01-01T00:00:00.000Z' })
    expect(state.loopbacks).toEqual({ redis: '127.77.1.2' })
  })
})
