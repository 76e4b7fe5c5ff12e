import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../lib/freePort.ts'
import type { HttpPlannedRoute, OwnPort, Peer, Target, TcpPlannedRoute } from './balancer.ts'
import { ask, BalancerLab, httpRoute, localPort, readUntil, tcpRoute, type LabMachine } from './balancerLab.ts'
import { HaproxyLab, whyNoHaproxy } from './haproxy/haproxyLab.ts'

/** Pause between two connections: a few hundred connections a second. */
const pauseMs = 3
const [first, second] = ['127.77.1.1', '127.77.1.2'] as const
/** A port at which nothing listens at any address: other tests take theirs from the kernel's range. */
const portOfNobody = (): number => 11_000 + Math.floor(Math.random() * 8_000)
const onLinux = process.platform === 'linux'

interface Ways {
  targets?: Target[]
  peers?: Peer[]
}
const tcpAt = (own: OwnPort, ways: Ways, service = 'queue'): TcpPlannedRoute => ({
  ...tcpRoute({ port: 1, name: 1, service, ...ways }),
  own,
})
const httpAt = (own: OwnPort, ways: Ways): HttpPlannedRoute => httpRoute({ own, ...ways })

describe.each(['embedded', 'haproxy'] as const)('a local port of %s', (driver) => {
  const why = driver === 'haproxy' ? whyNoHaproxy() : null
  let lab: BalancerLab
  let machine: (name: string) => Promise<LabMachine>
  let port: number
  beforeEach(async ({ skip }) => {
    skip(!onLinux, 'only Linux has these loopback addresses')
    skip(why !== null, why ?? '')
    lab = new BalancerLab()
    const haproxies = driver === 'haproxy' ? new HaproxyLab(lab) : null
    machine = (name) => haproxies?.machine(name) ?? lab.machine(name)
    port = portOfNobody()
  })
  afterEach(() => lab?.close())

  /** Sends its name and ends the connection. */
  const speaker = (name: string) =>
    lab.tcpInstance(name, (socket) => {
      socket.on('error', () => {})
      socket.end(name)
    })
  const hear = async (at: string): Promise<string> => readUntil(await lab.connect(port, at), () => false)
  const isClosed = (at: string): Promise<void> =>
    expect(lab.connect(port, at)).rejects.toMatchObject({ code: 'ECONNREFUSED' })

  it('may be the same for two services: each has its own address, and nothing listens at any other address', async () => {
    const [x, y] = [await speaker('x-1'), await speaker('y-1')]
    const a = await machine('a')
    const routes = [
      tcpAt(localPort('queue', port, first), { targets: [x.active] }),
      tcpAt(localPort('redis-cache', port, second), { targets: [y.active] }, 'redis-cache'),
    ]
    expect(await a.route(...routes)).toEqual([])
    expect(await Promise.all([first, second].map(hear))).toEqual(['x-1', 'y-1'])
    await isClosed('127.0.0.1')
    await isClosed('127.77.1.3')
    await a.route(routes[0] ?? never())
    await expect.poll(() => hear(second).catch(() => 'closed')).toBe('closed')
    expect(await hear(first)).toBe('x-1')
  })

  it('leads to another machine while there is no instance here, and to the right one of two services', async () => {
    const [x, y] = [await speaker('x-1'), await speaker('y-1')]
    const [a, b] = [await machine('a'), await machine('b')]
    const elsewhere = await freePort(first)
    await b.route(
      tcpAt(localPort('queue', elsewhere, '127.77.2.1'), { targets: [x.active] }),
      tcpAt(localPort('redis-cache', elsewhere, '127.77.2.2'), { targets: [y.active] }, 'redis-cache'),
    )
    await a.route(
      tcpAt({ ...localPort('queue', elsewhere), port, loopback: first }, { peers: [b.peer] }),
      tcpAt({ ...localPort('redis-cache', elsewhere), port, loopback: second }, { peers: [b.peer] }, 'redis-cache'),
    )
    await expect.poll(() => hear(first)).toBe('x-1')
    await expect.poll(() => hear(second)).toBe('y-1')
  })

  it('carries http of any host and path, here and from another machine; the entry does not', async () => {
    const x = await lab.instance('x-1', (request, response) => response.end(`${request.headers.host} ${request.url}`))
    const other = await lab.instance('other', (_request, response) => response.end('another service'))
    const [a, b] = [await machine('a'), await machine('b')]
    const atEntry = httpRoute({ service: 'other', path: '/other', targets: [other.active] })
    const elsewhere = localPort('shop', await freePort(first), '127.77.2.1')
    await b.route(httpAt(elsewhere, { targets: [x.active] }), atEntry)
    await a.route(httpAt({ ...elsewhere, port, loopback: first }, { peers: [b.peer] }), atEntry)
    const about = { at: first, path: '/other?q', headers: { host: 'any.example' } }
    await expect.poll(() => ask(port, about)).toMatchObject({ status: 200, body: 'any.example /other?q' })
    await a.route(httpAt({ ...elsewhere, port, loopback: first }, { targets: [x.active] }), atEntry)
    expect(await ask(port, about)).toMatchObject({ status: 200, body: 'any.example /other?q' })
    expect(await ask(a.port, { path: '/' })).toMatchObject({ status: 404 })
    expect(await ask(a.port, { path: '/other' })).toMatchObject({ status: 200, body: 'another service' })
  })

  it('that another program uses is reported; the rest is served, and this port too once it is free', async () => {
    const x = await speaker('x-1')
    const web = await lab.instance('web', (_request, response) => response.end('web'))
    const stranger = createServer((socket: Socket) => socket.destroy()).listen(port, first)
    lab.onClose(() => void stranger.close())
    await once(stranger, 'listening')
    const a = await machine('a')
    const routes = [
      tcpAt(localPort('queue', port, first), { targets: [x.active] }),
      tcpAt(localPort('redis-cache', port, second), { targets: [x.active] }, 'redis-cache'),
      httpRoute({ targets: [web.active] }),
    ]
    expect(await a.route(...routes)).toEqual([
      { service: 'queue', reason: expect.stringContaining(`cannot listen on ${first}:${port}`) },
    ])
    expect(await ask(a.port)).toMatchObject({ body: 'web' })
    expect(await hear(second)).toBe('x-1')
    await new Promise((resolve) => stranger.close(resolve))
    expect(await a.route(...routes)).toEqual([])
    expect(await hear(first)).toBe('x-1')
  })

  it('that was public a moment ago is reached by either name', async () => {
    const x = await speaker('x-1')
    const [a, b] = [await machine('a'), await machine('b')]
    const elsewhere = await freePort(first)
    const both = { plain: '5672', full: 'queue/5672' }
    const open = { public: true, loopback: null, name: both.plain, also: [both.full] }
    const local = { public: false, name: both.full, also: [both.plain] }
    for (const [here, there] of [
      [
        { ...open, port },
        { ...local, loopback: '127.77.2.1', port: elsewhere },
      ],
      [
        { ...local, loopback: first, port },
        { ...open, port: elsewhere },
      ],
    ] as const) {
      await b.route(tcpAt({ ...there, also: [...there.also] }, { targets: [x.active] }))
      await a.route(tcpAt({ ...here, also: [...here.also] }, { peers: [b.peer] }))
      await expect.poll(() => hear(here.loopback ?? '127.0.0.1').catch(String)).toBe('x-1')
    }
  })
})

describe('HAProxy', () => {
  let lab: BalancerLab
  beforeEach(({ skip }) => {
    const why = whyNoHaproxy()
    skip(why !== null, why ?? '')
    lab = new BalancerLab()
  })
  afterEach(() => lab?.close())

  it('closes a public port that becomes local, and opens it again, while it serves at the loopback address all along', async () => {
    const port = await portOutsideEphemeral()
    const x = await lab.tcpInstance('x-1', (socket) => void socket.on('error', () => {}).end('x-1'))
    const a = await new HaproxyLab(lab).machine('a', { host: '0.0.0.0' })
    const open = tcpAt({ public: true, loopback: first, port, name: `${port}`, also: [] }, { targets: [x.active] })
    const local = tcpAt(localPort('queue', port, first), { targets: [x.active] })
    const hear = async (at: string): Promise<string> => readUntil(await lab.connect(port, at), () => false)
    await a.route(open)
    const heard: string[] = []
    const state = { over: false }
    const asking = (async () => {
      for (; !state.over; await pause(pauseMs)) heard.push(await hear(first).catch(String))
    })()
    for (let round = 0; round < 5; round++) {
      expect(await a.route(local)).toEqual([])
      await expect.poll(() => hear('127.0.0.1').catch(() => 'closed')).toBe('closed')
      expect(await a.route(open)).toEqual([])
      await expect.poll(() => hear('127.0.0.1').catch(() => 'closed')).toBe('x-1')
    }
    state.over = true
    await asking
    expect(heard.length).toBeGreaterThan(10)
    expect(heard.filter((one) => one !== 'x-1')).toEqual([])
  })

  it('starts although a program has taken a port meanwhile, and serves the rest', async () => {
    const port = await freePort(first)
    const x = await lab.instance('x-1', (_request, response) => response.end('x'))
    const machines = new HaproxyLab(lab)
    const before = await machines.machine('a')
    const routes = [httpRoute({ targets: [x.active] }), tcpAt(localPort('queue', port, first), { targets: [x.active] })]
    expect(await before.route(...routes)).toEqual([])
    await before.balancer.close()
    const stranger = createServer().listen(port, first)
    lab.onClose(() => void stranger.close())
    await once(stranger, 'listening')
    const after = await machines.machine('a')
    expect(await after.route(...routes)).toEqual([
      { service: 'queue', reason: expect.stringContaining(`cannot listen on ${first}:${port}`) },
    ])
    expect(await ask(after.port)).toMatchObject({ status: 200, body: 'x' })
  })
})

/**
 * A connection may use an ephemeral port as its own among thousands of connections; HAProxy could then not listen on
 * this port at all addresses.
 */
async function portOutsideEphemeral(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * 9_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '0.0.0.0', () => resolve(true))
    })
    await new Promise((resolve) => server.close(resolve))
    if (free) return port
  }
  throw new Error('no port is free below the ephemeral ones')
}

const never = (): never => {
  throw new Error('there is one')
}
