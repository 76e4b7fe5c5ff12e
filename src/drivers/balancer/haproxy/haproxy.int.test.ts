import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../lib/freePort.ts'
import {
  ask,
  BalancerLab,
  echo,
  httpRoute,
  raw,
  readAll,
  readUntil,
  say,
  tcpRoute,
  type LabInstance,
} from '../balancerLab.ts'
import { childHaproxy } from './childHaproxy.ts'
import type { HaproxyBalancerOptions } from './haproxyBalancer.ts'
import { HaproxyLab, LabAuthority, whyNoHaproxy, type HaproxyMachine, type NamedInstance } from './haproxyLab.ts'

const whyNot = whyNoHaproxy()
let lab: BalancerLab
let machines: HaproxyLab

beforeEach(({ skip }) => {
  skip(whyNot !== null, whyNot ?? '')
  lab = new BalancerLab()
  machines = new HaproxyLab(lab)
})
afterEach(() => lab?.close())

/** Keep-alive requests of several methods, as fast as they are answered, until told to stop. */
function load(ports: number[], agent: Agent): { failures: string[]; done: () => number; end: () => Promise<void> } {
  const state = { running: true, count: 0 }
  const failures: string[] = []
  const worker = async (port: number, method: string): Promise<void> => {
    while (state.running) {
      const body = method === 'POST' ? 'x'.repeat(3_000) : undefined
      await ask(port, { method, body, agent }).then(
        ({ status, body }) => status === 200 || failures.push(`${method}: ${status} ${body}`),
        (error: unknown) => failures.push(`${method}: ${String(error)}`),
      )
      state.count += 1
    }
  }
  const workers = ports.flatMap((port) => ['GET', 'GET', 'POST', 'POST'].map((method) => worker(port, method)))
  return {
    failures,
    done: () => state.count,
    end: async () => {
      state.running = false
      await Promise.all(workers)
    },
  }
}

/** HAProxy that leaves the first such command after a reload without an answer. */
function silentAfterReload(machine: string, command: string): Partial<HaproxyBalancerOptions> {
  const run = join(machines.folderOf(machine), 'run')
  mkdirSync(run, { recursive: true, mode: 0o700 })
  const behind = join(run, 'behind.sock')
  let isNext = false
  const server = createServer({ allowHalfOpen: true }, (client) =>
    client.once('data', (line: Buffer) => {
      if (isNext && line.includes(command)) return void (isNext = false)
      isNext ||= line.includes('reload')
      const master = connect(behind)
      master.on('error', () => client.destroy())
      master.pipe(client)
      master.end(line)
    }),
  )
  server.listen(join(run, 'master.sock'))
  lab.onClose(() => void server.close())
  return { process: childHaproxy({ master: behind }), limits: { commandMs: 1_000 } }
}

/** A request that its instance has and does not answer. */
async function slowly(port: number, { hanging }: NamedInstance): Promise<{ status: Promise<number> }> {
  const before = hanging.length
  const status = ask(port, { path: '/hang', method: 'POST' }).then(
    ({ status }) => status,
    () => 0,
  )
  await expect.poll(() => hanging.length).toBe(before + 1)
  return { status }
}

async function progress(done: () => number): Promise<void> {
  const before = done()
  await expect.poll(done, { interval: 5 }).toBeGreaterThan(before + 20)
}

describe('rollouts under load', () => {
  it('lose nothing in twenty flips through both machines, and never reload', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const first = await machines.instance('x-0')
    const route = (machine: HaproxyMachine, ...targets: LabInstance['active'][]): Promise<unknown> =>
      machine.route(httpRoute({ targets, peers: [machine === a ? b.peer : a.peer] }))
    await a.route(httpRoute({ targets: [first.active], peers: [] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    const workers = [await machines.workerOf('a'), await machines.workerOf('b')]
    const { failures, done, end } = load([a.port, b.port], lab.agent())
    let [current, from, to] = [first, a, b]
    for (let i = 1; i <= 20; i += 1) {
      await progress(done)
      const next = await machines.instance(`x-${i}`)
      await to.route(httpRoute({ targets: [next.active] }))
      await route(from, current.draining)
      await from.told('idle', current.name)
      await from.balancer.release(current.name)
      await current.kill()
      await from.route(httpRoute({ peers: [to.peer] }))
      ;[current, from, to] = [next, to, from]
    }
    await progress(done)
    await end()
    expect(failures).toEqual([])
    expect([await machines.workerOf('a'), await machines.workerOf('b')]).toEqual(workers)
  })

  it('that change routes reload, and lose nothing either: the old instance may be stopped at once', async () => {
    const a = await machines.machine('a')
    let current = await machines.instance('x-0')
    await a.route(httpRoute({ targets: [current.active] }))
    const { failures, done, end } = load([a.port], lab.agent())
    const workers = new Set<number | null>()
    for (let i = 1; i <= 8; i += 1) {
      await progress(done)
      const next = await machines.instance(`x-${i}`)
      await a.route(
        httpRoute({ targets: [next.active, current.draining] }),
        httpRoute({ path: `/v${i}`, targets: [next.active] }),
      )
      workers.add(await machines.workerOf('a'))
      await a.told('idle', current.name)
      await a.balancer.release(current.name)
      await current.kill()
      current = next
    }
    await progress(done)
    await end()
    expect(failures).toEqual([])
    expect(workers.size).toBe(8)
  })
})

describe('work in flight', () => {
  it('is counted in an old worker too, after a reload', async () => {
    const a = await machines.machine('a')
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const slow = ask(a.port, { path: '/hang' })
    await expect.poll(() => x.hanging.length).toBe(1)
    await a.route(httpRoute({ targets: [x.active] }), httpRoute({ path: '/more', targets: [x.active] }))
    await a.route(httpRoute({ targets: [x.draining] }), httpRoute({ path: '/more', targets: [x.draining] }))
    expect(a.changes).toEqual([])
    expect(a.balancer.inFlight('x-1').work).toBe(1)
    x.hanging[0]?.end('slow')
    await a.told('idle', 'x-1')
    expect((await slow).body).toBe('slow')
  })

  it('is cut in an old worker too', async () => {
    const a = await machines.machine('a')
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const slow = ask(a.port, { path: '/hang', method: 'POST' }).then(
      ({ status }) => status,
      () => 'cut',
    )
    await expect.poll(() => x.hanging.length).toBe(1)
    await a.route(httpRoute({ targets: [x.draining] }), httpRoute({ path: '/more' }))
    a.balancer.cut('x-1')
    await a.told('idle', 'x-1')
    expect(await slow).not.toBe(200)
  })
})

describe('a reload', () => {
  it('whose agent was killed before it told the old worker is made good by the next plan: kept-alive clients are handed over', async () => {
    const a = await machines.machine('a')
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    const agent = lab.agent()
    expect((await ask(a.port, { agent })).body).toBe('x-1 0')
    const before = await machines.workerOf('a')
    await machines.masterOf('a').reload()
    await expect.poll(() => machines.workerOf('a').catch(() => before)).not.toBe(before)
    await a.route(httpRoute({ targets: [y.active] }))
    expect((await ask(a.port, { agent })).body).toBe('y-1 0')
  })

  it('that took place although HAProxy did not answer once is no failure: the file says what runs, the old worker hands over', async () => {
    const a = await machines.machine('a', silentAfterReload('a', 'show info'))
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    const agent = lab.agent()
    expect((await ask(a.port, { agent })).body).toBe('x-1 0')
    await a.route(httpRoute({ targets: [y.active] }), httpRoute({ path: '/more' }))
    expect(readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')).toContain('/more')
    expect((await ask(a.port, { agent })).body).toBe('y-1 0')
  })

  it('whose old worker does not answer is done all the same, and the old worker is told with the next plan', async () => {
    const a = await machines.machine('a', silentAfterReload('a', 'tandem retire'))
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    const agent = lab.agent()
    expect((await ask(a.port, { agent })).body).toBe('x-1 0')
    const routes = [httpRoute({ targets: [y.active] }), httpRoute({ path: '/more' })]
    await a.route(...routes)
    await a.route(...routes)
    expect((await ask(a.port, { agent })).body).toBe('y-1 0')
  })

  it('that HAProxy gives up leaves the file as what goes on', async () => {
    const child = childHaproxy({ master: join(machines.folderOf('a'), 'run', 'master.sock') })
    const process = {
      program: '/bin/true',
      ensureStarted: (path: string) => child.ensureStarted(path),
      isRunning: () => child.isRunning(),
      lastWords: () => child.lastWords(),
      end: () => child.end(),
    }
    const a = await machines.machine('a', { process })
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const config = readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')
    await expect(a.route(httpRoute({ targets: [x.active], bodyBytes: 1e30 }))).rejects.toThrow('could not be reloaded')
    expect(readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')).toBe(config)
    expect((await ask(a.port)).body).toBe('x-1 0')
  })
})

describe('a restart', () => {
  it('of HAProxy brings back the same routing', async () => {
    const a = await machines.machine('a')
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ targets: [y.active, x.draining] }))
    const config = readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')
    await a.balancer.close()
    const again = childHaproxy({ master: join(machines.folderOf('a'), 'run', 'master.sock') })
    lab.onClose(() => again.end())
    await again.ensureStarted(join(machines.folderOf('a'), 'haproxy.cfg'))
    expect((await ask(a.port)).body).toBe('y-1 0')
    expect(config).toMatch(/server x-1 .* disabled\n/)
  })

  it('of the agent takes over what runs: no reload, no connection lost, the same bytes', async () => {
    const child = childHaproxy({ master: join(machines.folderOf('a'), 'run', 'master.sock') })
    lab.onClose(() => child.end())
    const outliving = { ...child, end: () => Promise.resolve(), program: child.program }
    const process = {
      ...outliving,
      ensureStarted: (path: string) => child.ensureStarted(path),
      isRunning: () => child.isRunning(),
      lastWords: () => child.lastWords(),
    }
    const ports = { httpPort: await freePort(), forward: { host: '127.0.0.1', port: await freePort() } }
    const tls = machines.authority.machine('a')
    const port = await freePort()
    const [x, y, t] = [
      await machines.instance('x-1'),
      await machines.instance('y-1'),
      await lab.tcpInstance('t-1', echo),
    ]
    const plan = [httpRoute({ targets: [x.active] }), tcpRoute({ port, name: port, targets: [t.active] })]
    const first = await machines.machine('a', { ...ports, tls, process })
    await first.route(...plan)
    const socket = await lab.connect(port)
    await say(socket, 'one')
    const [worker, config] = [
      await machines.workerOf('a'),
      readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8'),
    ]
    await first.balancer.close()
    const second = await machines.machine('a', { ...ports, tls, process })
    await second.route(...plan)
    expect(readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')).toBe(config)
    expect(second.balancer.inFlight('t-1')).toEqual({ work: 1, long: 1 })
    expect(await say(socket, 'two')).toBe('two')
    await second.route(httpRoute({ targets: [y.active] }), ...plan.slice(1))
    await second.told('idle', 'x-1')
    expect((await ask(second.port)).body).toBe('y-1 0')
    expect(await machines.workerOf('a')).toBe(worker)
  })
})

describe('forwarding', () => {
  it('refuses who has no certificate of this cluster, or whose machine is not admitted, and cuts those removed', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    expect((await ask(a.port)).body).toBe('x-1 0')
    const knock = (tls: { ca: string; cert: string; key: string } | null): Promise<string> => {
      const files = tls ? { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } : {}
      const socket = connectTls({
        ...files,
        port: b.peer.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['tandem/http/shop'],
      })
      lab.onClose(() => void socket.destroy())
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n')
      return new Promise((resolve) => {
        let text = ''
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
        socket.once('close', () => resolve(text))
      })
    }
    expect(await knock(machines.authority.machine('c'))).toContain('x-1 0')
    expect(await knock(null)).toBe('')
    expect(await knock(new LabAuthority(machines.folder, 'other').machine('a'))).toBe('')
    expect(await raw(lab, b.peer.port, 'GET / HTTP/1.1\r\nHost: h\r\n\r\n')).toBe('')
    await b.balancer.admit(['a', 'b'])
    expect(await knock(machines.authority.machine('c'))).toBe('')
    const slow = await slowly(a.port, x)
    await b.balancer.admit(['b'])
    expect(await slow.status).not.toBe(200)
    expect((await ask(a.port)).status).toBeGreaterThanOrEqual(502)
    await b.balancer.admit(['a'])
    await expect.poll(async () => (await ask(a.port)).status).toBe(200)
  })

  it('is refused to who is no longer admitted although an agent was killed after it wrote that down, or after it said so', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    await b.balancer.admit(['a', 'b'])
    const list = join(machines.folderOf('b'), 'machines.lst')
    writeFileSync(list, '^b$\n')
    await b.balancer.admit(['b'])
    expect((await ask(a.port)).status).toBeGreaterThanOrEqual(502)

    await b.balancer.admit(['a', 'b'])
    await expect.poll(async () => (await ask(a.port)).status).toBe(200)
    const slow = await slowly(a.port, x)
    const worker = await machines.workerOf('b')
    await machines.masterOf('b').tell(worker ?? 0, [`del acl ${list} ^a$`])
    writeFileSync(list, '^b$\n')
    await b.balancer.admit(['b'])
    expect(await slow.status).not.toBe(200)
  })

  it('is cut in an old worker too, for a machine that is no longer admitted; those of others go on', async () => {
    const [a, b, c] = await Promise.all([machines.machine('a'), machines.machine('b'), machines.machine('c')])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    await c.route(httpRoute({ peers: [b.peer] }))
    await b.balancer.admit(['a', 'c'])
    const fromA = await slowly(a.port, x)
    const fromC = await slowly(c.port, x)
    await b.route(httpRoute({ targets: [x.active] }), httpRoute({ path: '/more' }))
    await b.balancer.admit(['c'])
    expect(await fromA.status).not.toBe(200)
    x.hanging[1]?.end('slow')
    expect(await fromC.status).toBe(200)
  })

  it('goes on to a machine known by name while nobody answers what its address is, and holds up nothing else', async () => {
    let hangs = false
    const lookup = (host: string): Promise<{ address: string }> =>
      hangs ? new Promise(() => {}) : Promise.resolve({ address: host === 'b.test' ? '127.0.0.1' : '127.0.0.2' })
    const [a, b] = await Promise.all([
      machines.machine('a', { lookup, limits: { lookupMs: 500 } }),
      machines.machine('b'),
    ])
    const x = await machines.instance('x-1')
    await b.route(httpRoute({ targets: [x.active] }))
    const named = httpRoute({ peers: [{ ...b.peer, host: 'b.test' }] })
    expect(await a.route(named)).toEqual([])
    expect((await ask(a.port)).body).toBe('x-1 0')
    hangs = true
    const done: string[] = []
    const routed = a.route(named, httpRoute({ path: '/more' })).then((unserved) => {
      done.push('routed')
      return unserved
    })
    await a.balancer.admit(null)
    expect(done).toEqual([])
    expect(await routed).toEqual([])
    expect((await ask(a.port)).body).toBe('x-1 0')
  })

  it('goes on to the next machine when one has no instance, whole bodies too, and never in a circle', async () => {
    const [a, b, c] = await Promise.all([machines.machine('a'), machines.machine('b'), machines.machine('c')])
    const x = await machines.instance('x-1')
    await c.route(httpRoute({ targets: [x.active], peers: [a.peer, b.peer] }))
    await b.route(httpRoute({ peers: [a.peer, c.peer] }))
    await a.route(httpRoute({ peers: [b.peer, c.peer] }))
    for (let i = 0; i < 6; i += 1) {
      const answer = await ask(a.port, { method: 'POST', body: Buffer.alloc(3_000_000) })
      expect([answer.status, answer.body]).toEqual([200, 'x-1 3000000'])
    }
    await c.route(httpRoute({ peers: [a.peer, b.peer] }))
    const answer = await ask(a.port)
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1'])
    expect(answer.headers).not.toHaveProperty('tandem-unprocessed')
  })

  it('carries TCP both ways, half-closed too, counted where the instance is', async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const t = await lab.tcpInstance('t-1', (socket) => {
      void readAll(socket).then((all) => socket.end(`${all.length} bytes`))
    })
    const [portA, portB] = [await freePort(), await freePort()]
    await b.route(tcpRoute({ port: portB, name: 5672, targets: [t.active] }))
    await a.route(tcpRoute({ port: portA, name: 5672, peers: [b.peer] }))
    const socket = await lab.connect(portA)
    socket.write('x')
    await expect.poll(() => b.balancer.inFlight('t-1')).toEqual({ work: 1, long: 1 })
    socket.end(Buffer.alloc(1_000_000))
    expect(await readUntil(socket, () => false)).toBe('1000001 bytes')
    await b.route(tcpRoute({ port: portB, name: 5672, targets: [] }))
    expect(await readUntil(await lab.connect(portA), () => false)).toBe('')
  })
})

describe('a dead instance', () => {
  it('is gone round from the first request on, and comes back by itself', async () => {
    const a = await machines.machine('a')
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active, y.active] }))
    const { port } = x
    await x.kill()
    for (let i = 0; i < 10; i += 1) expect((await ask(a.port, { method: 'POST', body: 'x' })).body).toBe('y-1 1')
    const back = await lab.instance('x-1', (_request, response) => response.end('back'), port)
    await expect.poll(async () => (await ask(a.port)).body, { interval: 5 }).toBe('back')
    await back.kill()
  })
})

describe('idle connections', () => {
  it('live beyond every HTTP timeout, silent on both sides, through both machines; a limit of their route cuts them', async () => {
    const limits = { headersMs: 200, clientIdleMs: 200, upstreamIdleMs: 200, connectMs: 300 }
    const [a, b] = await Promise.all([machines.machine('a', { limits }), machines.machine('b', { limits })])
    const t = await lab.tcpInstance('t-1', echo)
    const [kept, cut, there] = [await freePort(), await freePort(), [await freePort(), await freePort()]]
    await b.route(
      tcpRoute({ service: 'kept', port: there[0] ?? 0, name: 1, targets: [t.active] }),
      tcpRoute({ service: 'cut', port: there[1] ?? 0, name: 2, targets: [t.active], idleMs: 500 }),
    )
    await a.route(
      tcpRoute({ service: 'kept', port: kept, name: 1, peers: [b.peer] }),
      tcpRoute({ service: 'cut', port: cut, name: 2, peers: [b.peer], idleMs: 500 }),
    )
    const [silent, limited] = [await lab.connect(kept), await lab.connect(cut)]
    await Promise.all([say(silent, 'hello'), say(limited, 'hello')])
    expect(await readUntil(limited, () => false)).toBe('')
    expect(await say(silent, 'still here')).toBe('still here')
  })
})

describe('holding', () => {
  it('keeps requests and connections until an instance is there, without a reload; then not longer than it may', async () => {
    const a = await machines.machine('a')
    const port = await freePort()
    const route = (holdMs: number | null, x?: LabInstance, t?: LabInstance): Promise<unknown> =>
      a.route(
        httpRoute({ targets: x ? [x.active] : [], holdMs }),
        tcpRoute({ port, name: port, targets: t ? [t.active] : [], holdMs }),
      )
    await route(null)
    const worker = await machines.workerOf('a')
    expect((await ask(a.port)).status).toBe(503)
    await route(10_000)
    const held = ask(a.port, { method: 'POST', body: 'abc' })
    const socket = await lab.connect(port)
    socket.write('hello')
    await expect.poll(() => a.balancer.counters().held).toBe(2)
    await route(null, await machines.instance('x-1'), await lab.tcpInstance('t-1', echo))
    expect((await held).body).toBe('x-1 3')
    expect(await readUntil(socket, (text) => text.length === 5)).toBe('hello')
    await route(100)
    expect((await ask(a.port)).status).toBe(503)
    await expect.poll(() => a.balancer.counters().held).toBe(0)
    expect(await machines.workerOf('a')).toBe(worker)
  })

  it('goes on over a reload', async () => {
    const a = await machines.machine('a')
    await a.route(httpRoute({ holdMs: 10_000 }))
    const held = ask(a.port)
    await expect.poll(() => a.balancer.counters().held).toBe(1)
    await a.route(httpRoute({ holdMs: 10_000 }), httpRoute({ path: '/new' }))
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }), httpRoute({ path: '/new' }))
    expect((await held).body).toBe('x-1 0')
  })
})
