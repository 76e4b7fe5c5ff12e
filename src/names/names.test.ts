import { describe, expect, it } from 'vitest'
import type { Decision } from '../decision/refuse.ts'
import { deploy, remove, restart, rollback, stop, type Request } from '../decider/testing/given.ts'
import { World } from '../decider/testing/world.ts'
import type { Definition } from '../definitions/definition.ts'
import type { Call } from '../definitions/calls.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { featureWarnings } from '../rollout/features.ts'

const database: Partial<Definition> = {
  ...{ service: 'postgres', listen: 'tcp' },
  routes: [{ port: 5432, expose: 'local' }],
}
const web: Partial<Definition> = { service: 'blog', routes: [{ host: 'blog.example.com', path: '/' }] }

class Cluster {
  readonly world: World
  constructor(laptop = false) {
    this.world = new World(['a', 'b'], undefined, { cluster: 'production', laptop })
  }

  ask(request: Request): Decision {
    const decision = this.world.send(request(this.world))
    this.world.settle()
    return decision
  }

  push(release: string, definition: Partial<Definition>): Decision {
    const whole = aDefinition(definition)
    this.world.publish(release, whole)
    return this.ask(deploy(release, { service: whole.service }))
  }

  links(release: string, machine = 'a'): string[] {
    const all = this.world.machine(machine).desire?.links[release] ?? []
    return all.map(
      ({ prefix, answer }) => `${prefix} ${answer ? `${answer.carries} ${answer.address}:${answer.port}` : '-'}`,
    )
  }

  listens(machine = 'a'): string[] {
    const { routes = [], localRoutes = [] } = this.world.machine(machine).desire ?? {}
    return [
      ...routes.flatMap(({ match, service }) =>
        match.kind === 'tcp' ? [`*:${match.port}${match.address ? `+${match.address}` : ''} ${service}`] : [],
      ),
      ...localRoutes.map(({ match, service }) => `${match.carries} ${match.address}:${match.port} ${service}`),
    ]
  }
}

const uses = (...all: Call[]): Partial<Definition> => ({ uses: all })

describe('a service that uses another one', () => {
  it('gets its address and port, on every machine', () => {
    const cluster = new Cluster()
    cluster.push('p1', database)
    cluster.push('r1', uses({ service: 'postgres' }, { service: 'postgres', as: 'read-only' }, { address: 'x:1' }))
    const address = cluster.world.state.loopbacks['postgres']
    expect(address).toMatch(/^127\.77\./)
    expect(cluster.links('r1')).toEqual([`POSTGRES tcp ${address}:5432`, `READ_ONLY tcp ${address}:5432`])
    expect(cluster.links('r1', 'b')).toEqual(cluster.links('r1'))
    expect(cluster.world.machine('a').desire?.names).toEqual([{ service: 'postgres', address }])
  })

  it('is sent to the machines without the key, which older agents do not know', () => {
    const cluster = new Cluster()
    cluster.push('p1', database)
    cluster.push('r1', uses({ service: 'postgres' }))
    expect(cluster.world.machine('a').desire?.definitions['r1']).toEqual(aDefinition())
  })

  it('selects one of several ports', () => {
    const cluster = new Cluster()
    cluster.push('q1', {
      service: 'queue',
      listen: 'tcp',
      routes: [5672, 15672].map((port) => ({ port, expose: 'local' })),
    })
    cluster.push('r1', uses({ service: 'queue' }, { service: 'queue', as: 'admin', port: 15672 }))
    const address = cluster.world.state.loopbacks['queue']
    expect(cluster.links('r1')).toEqual([`QUEUE tcp ${address}:5672`, `ADMIN tcp ${address}:15672`])
    expect(cluster.push('r2', uses({ service: 'queue', port: 80 }))).toMatchObject({
      code: 'E_USES',
      message: 'shop uses port 80 of queue, which has the ports 5672, 15672',
    })
  })

  it('finds a public port at the address of its service too', () => {
    const cluster = new Cluster()
    cluster.push('p1', { ...database, routes: [{ port: 5432, expose: 'public' }] })
    expect(cluster.listens()).toEqual(['*:5432 postgres'])
    cluster.push('r1', uses({ service: 'postgres' }))
    const address = cluster.world.state.loopbacks['postgres']
    expect(cluster.listens()).toEqual([`*:5432+${address} postgres`])
    expect(cluster.links('r1')).toEqual([`POSTGRES tcp ${address}:5432`])
  })

  it('gives an http service without a local route one, at port 80 of its address, as long as it is used', () => {
    const cluster = new Cluster()
    cluster.push('b1', web)
    expect(cluster.listens()).toEqual([])
    cluster.push('r1', { ...uses({ service: 'blog' }), routes: [{ host: 'shop.example.com', path: '/' }] })
    const address = cluster.world.state.loopbacks['blog']
    expect(cluster.listens()).toEqual([`http ${address}:80 blog`])
    expect(cluster.links('r1')).toEqual([`BLOG http ${address}:80`])
    cluster.ask(stop({ service: 'blog' }))
    expect(cluster.listens()).toEqual([`http ${address}:80 blog`])
    cluster.push('r2', { routes: [{ host: 'shop.example.com', path: '/' }] })
    expect(cluster.listens()).toEqual([])
    expect(cluster.world.state.loopbacks['blog']).toBe(address)
  })

  it('uses the local http route where there is one', () => {
    const cluster = new Cluster()
    cluster.push('b1', { service: 'blog', routes: [{ port: 8080, expose: 'local' }] })
    cluster.push('r1', uses({ service: 'blog' }))
    expect(cluster.links('r1')).toEqual([`BLOG http ${cluster.world.state.loopbacks['blog']}:8080`])
    expect(cluster.listens()).toHaveLength(1)
  })

  it('on a laptop reaches 127.0.0.1, each http service at a port of its own', () => {
    const laptop = new Cluster(true)
    laptop.push('p1', database)
    laptop.push('b1', web)
    laptop.push('c1', { ...web, service: 'cart', routes: [{ host: 'cart.example.com', path: '/' }] })
    laptop.push('r1', uses({ service: 'postgres' }, { service: 'blog' }, { service: 'cart' }))
    const [first, blog, cart] = laptop.links('r1')
    expect(first).toBe('POSTGRES tcp 127.0.0.1:5432')
    expect(blog).toMatch(/^BLOG http 127\.0\.0\.1:12\d\d\d$/)
    expect(cart).toMatch(/^CART http 127\.0\.0\.1:12\d\d\d$/)
    expect(laptop.listens()).toContain(`${blog?.slice(5)} blog`)
    expect(laptop.world.machine('a').desire?.names).toEqual([])
    // The port that the service has on servers means the same route.
    laptop.push('r2', uses({ service: 'blog', port: 80 }))
    expect(laptop.links('r2')).toEqual([blog])
    expect(laptop.world.refold()).toEqual(laptop.world.state)
  })
})

describe('refused is', () => {
  it('a service that does not exist, with the name that was meant, unless it is optional', () => {
    const cluster = new Cluster()
    cluster.push('p1', database)
    expect(cluster.push('r1', uses({ service: 'postgre' }))).toMatchObject({
      code: 'E_NO_SUCH_SERVICE',
      message: 'shop uses postgre, and there is no such service',
      next: expect.stringContaining('did you mean postgres?') as string,
    })
    expect(cluster.push('r2', uses({ service: 'mail', optional: true }))).toMatchObject({ type: 'accepted' })
    expect(cluster.links('r2')).toEqual(['MAIL -'])
    const started = cluster.world.log.findLast((event) => event.type === 'RolloutStarted')
    expect(started && featureWarnings(cluster.world.state, started.data, {})).toEqual([
      'shop uses mail, which is missing: its variables are not set',
    ])
    cluster.push('m1', { ...database, service: 'mail', routes: [{ port: 25, expose: 'local' }] })
    expect(cluster.links('r2')).toEqual([`MAIL tcp ${cluster.world.state.loopbacks['mail']}:25`])
  })

  it('a worker, and the URL of a service that does not listen http', () => {
    const cluster = new Cluster()
    cluster.push('w1', { service: 'mailer', listen: 'none' })
    cluster.push('p1', database)
    expect(cluster.push('r1', uses({ service: 'mailer' }))).toMatchObject({ code: 'E_USES' })
    expect(cluster.push('r2', { ...uses({ service: 'postgres' }), env: { DB: '${POSTGRES_URL}/shop' } })).toMatchObject(
      {
        code: 'E_USES',
        message: '${POSTGRES_URL} is not set: postgres listens tcp, and only http services have a URL',
      },
    )
  })

  it('the removal of a service that others use, unless it is forced', () => {
    const cluster = new Cluster()
    cluster.push('p1', database)
    cluster.push('r1', uses({ service: 'postgres' }))
    cluster.push('b1', { ...web, ...uses({ service: 'postgres', optional: true }) })
    expect(cluster.ask(remove({ service: 'postgres' }))).toMatchObject({
      code: 'E_IN_USE',
      message: 'shop uses postgres',
    })
    expect(cluster.ask(remove({ service: 'postgres', force: true }))).toMatchObject({ type: 'accepted' })
    // A release that served may be started again.
    expect(cluster.ask(restart())).toMatchObject({ type: 'accepted' })
    expect(cluster.links('r1')).toEqual(['POSTGRES -'])
    expect(cluster.world.machine('a').desire?.names).toEqual([])
  })

  it('a release that closes a port which others use, but not the way back to one that served', () => {
    const cluster = new Cluster()
    cluster.push('p1', database)
    cluster.push('p2', { ...database, routes: [5432, 5433].map((port) => ({ port, expose: 'local' })) })
    cluster.push('r1', uses({ service: 'postgres', port: 5433 }))
    expect(cluster.push('p3', database)).toMatchObject({ code: 'E_IN_USE' })
    expect(cluster.ask((world) => ({ ...rollback('p1')(world), service: 'postgres' }) as never)).toMatchObject({
      type: 'accepted',
    })
  })
})

it('warns of a circle', () => {
  const cluster = new Cluster()
  cluster.push('p1', database)
  cluster.push('r1', uses({ service: 'postgres' }))
  cluster.push('p2', { ...database, ...uses({ service: 'shop' }) })
  const started = cluster.world.log.findLast((event) => event.type === 'RolloutStarted')
  expect(started && featureWarnings(cluster.world.state, started.data, {})).toEqual([
    'a circle: postgres uses shop uses postgres',
  ])
})
