import { mkdirSync, readFileSync } from 'node:fs'
import type { Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../lib/freePort.ts'
import { randomRun } from '../../../lib/testing/randomRun.ts'
import { ask, type BalancerLab, echo, httpRoute, readUntil, say, tcpRoute, type LabInstance } from '../balancerLab.ts'
import { childHaproxy } from './childHaproxy.ts'
import type { HaproxyBalancerOptions } from './haproxyBalancer.ts'
import { eachInALab, type HaproxyLab, type HaproxyMachine } from './haproxyLab.ts'
import type { HaproxyProcess } from './haproxyProcess.ts'

const { count: flips } = randomRun('server_flips', { check: 20, soak: 200 })
const { count: reloads } = randomRun('reloads', { check: 12, soak: 100 })
let lab: BalancerLab
let machines: HaproxyLab

eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

/** Sends keep-alive requests of several methods, as fast as they are answered, until the test ends the load. */
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

/** HAProxy that does not answer the first such command after a reload. */
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

/** The methods of a class instance, so that some can be replaced. */
function partsOf(process: HaproxyProcess): HaproxyProcess {
  return {
    program: process.program,
    ensureStarted: (path) => process.ensureStarted(path),
    isRunning: () => process.isRunning(),
    lastWords: () => process.lastWords(),
    end: () => process.end(),
  }
}

async function progress(done: () => number): Promise<void> {
  const before = done()
  await expect.poll(done, { interval: 5 }).toBeGreaterThan(before + 20)
}

describe('rollouts under load', () => {
  it(`lose no request in ${flips} flips through both machines, and never reload`, async () => {
    const [a, b] = await Promise.all([machines.machine('a'), machines.machine('b')])
    const first = await machines.instance('x-0')
    const route = (machine: HaproxyMachine, ...targets: LabInstance['active'][]): Promise<unknown> =>
      machine.route(httpRoute({ targets, peers: [machine === a ? b.peer : a.peer] }))
    await a.route(httpRoute({ targets: [first.active], peers: [] }))
    await b.route(httpRoute({ peers: [a.peer] }))
    const workers = [await machines.workerOf('a'), await machines.workerOf('b')]
    const { failures, done, end } = load([a.port, b.port], lab.agent())
    let [current, from, to] = [first, a, b]
    for (let i = 1; i <= flips; i += 1) {
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

  it('that change routes reload, and lose no request either: the old instance may be stopped at once', async () => {
    const a = await machines.machine('a')
    let current = await machines.instance('x-0')
    await a.route(httpRoute({ targets: [current.active] }))
    const { failures, done, end } = load([a.port], lab.agent())
    const workers = new Set<number | null>()
    for (let i = 1; i <= reloads; i += 1) {
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
    expect(workers.size).toBe(reloads)
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
  it('whose agent was killed before it informed the old worker is completed by the next plan: kept-alive clients are handed over', async () => {
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

  it('that took place although HAProxy did not answer once is no failure: the file matches the running state, the old worker hands over', async () => {
    const a = await machines.machine('a', silentAfterReload('a', 'show info'))
    const [x, y] = [await machines.instance('x-1'), await machines.instance('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    const agent = lab.agent()
    expect((await ask(a.port, { agent })).body).toBe('x-1 0')
    await a.route(httpRoute({ targets: [y.active] }), httpRoute({ path: '/more' }))
    expect(readFileSync(join(machines.folderOf('a'), 'haproxy.cfg'), 'utf8')).toContain('/more')
    expect((await ask(a.port, { agent })).body).toBe('y-1 0')
  })

  it('whose old worker does not answer succeeds anyway, and the next plan informs the old worker', async () => {
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

  it('that HAProxy gives up leaves the file in the running state', async () => {
    const child = childHaproxy({ master: join(machines.folderOf('a'), 'run', 'master.sock') })
    const process = { ...partsOf(child), program: '/bin/true' }
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
    const process = { ...partsOf(child), end: () => Promise.resolve() }
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

describe('a dead instance', () => {
  it('is skipped from the first request on, and comes back on its own', async () => {
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
  it('outlive every HTTP timeout, silent on both sides, through both machines; a limit of their route cuts them', async () => {
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
  it('keeps requests and connections until an instance is there, without a reload; but not longer than allowed', async () => {
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

  it('continues over a reload', async () => {
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
