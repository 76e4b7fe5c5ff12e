import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../lib/freePort.ts'
import { randomRun } from '../../../lib/testing/randomRun.ts'
import type { AnswersByClass, BalancerDriver, InstanceNumbers } from '../balancer.ts'
import {
  ask,
  echo,
  httpRoute,
  say,
  tcpRoute,
  type BalancerLab,
  type LabInstance,
  type LabMachine,
} from '../balancerLab.ts'
import { eachInALab, type HaproxyLab } from './haproxyLab.ts'

const { seed, count: requests } = randomRun('counted', { check: 4_000, soak: 200_000 })
const failing = 137
let lab: BalancerLab
let machines: HaproxyLab

eachInALab((balancers, haproxies) => ([lab, machines] = [balancers, haproxies]))

/** Answers with the status that the path names. */
const answering = (name: string): Promise<LabInstance> =>
  lab.instance(name, (request, response) => response.writeHead(Number(request.url?.slice(1))).end(name))

async function sumOf(driver: BalancerDriver): Promise<Pick<InstanceNumbers, 'answers' | 'errors' | 'work'>> {
  const sum = { answers: [0, 0, 0, 0, 0] as AnswersByClass, errors: 0, work: 0 }
  for (const { answers, errors, work } of (await driver.numbers()).instances) {
    answers.forEach((count, group) => (sum.answers[group as 0] += count))
    sum.errors += errors
    sum.work += work
  }
  return sum
}

/** Sends all requests, as many at once as there are clients, spread over kept-alive connections. */
async function send(port: number, statuses: number[], clients: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  lab.onClose(() => agent.destroy())
  const got: number[] = []
  const client = async (): Promise<void> => {
    for (let next = statuses.pop(); next !== undefined; next = statuses.pop()) {
      got.push((await ask(port, { path: `/${next}`, agent })).status)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return got
}

describe('the counts of answers', () => {
  it(`add up exactly after ${requests} requests, ${failing} of them answered 500, through rollouts with reloads (seed ${seed})`, async () => {
    const a = await machines.machine('a')
    let current = await answering('x-0')
    await a.route(httpRoute({ targets: [current.active] }))
    const left = Array.from({ length: requests }, (_, index) =>
      index % Math.floor(requests / failing) === 1 && index < failing * Math.floor(requests / failing) ? 500 : 200,
    )
    const sent = send(a.port, left, 8)
    const workers = new Set<number | null>()
    for (let roll = 1; roll <= 4; roll += 1) {
      await expect.poll(() => left.length, { interval: 5 }).toBeLessThan(requests * (1 - roll / 6))
      const next = await answering(`x-${roll}`)
      // Another path is a change of routes, and so a reload.
      const more = httpRoute({ path: `/v${roll}`, targets: [next.active] })
      await a.route(httpRoute({ targets: [next.active, current.draining] }), more)
      await a.told('idle', current.name)
      await a.balancer.release(current.name)
      await current.kill()
      await a.route(httpRoute({ targets: [next.active] }), more)
      workers.add(await machines.workerOf('a'))
      current = next
    }
    const got = await sent
    expect(got.filter((status) => status === 500)).toHaveLength(failing)
    expect(workers.size).toBe(4)
    expect(await sumOf(a.balancer)).toEqual({ answers: [0, requests - failing, 0, 0, failing], errors: 0, work: 0 })
    expect((await a.balancer.numbers()).services).toEqual([])
  })

  it('of an old worker are complete, although its last request ended between two readings; then it ends', async () => {
    const a = await machines.machine('a')
    const x = await machines.instance('x-1')
    await a.route(httpRoute({ targets: [x.active] }))
    const slow = ask(a.port, { path: '/hang' })
    await expect.poll(() => x.hanging.length).toBe(1)
    await a.route(httpRoute({ targets: [x.active] }), httpRoute({ path: '/more', targets: [x.active] }))
    await expect.poll(async () => (await machines.masterOf('a').workers()).old).toHaveLength(1)
    x.hanging[0]?.end('slow')
    await slow
    await expect.poll(async () => (await machines.masterOf('a').workers()).old).toEqual([])
    expect((await sumOf(a.balancer)).answers).toEqual([0, 1, 0, 0, 0])
  })

  it('of an instance stay when HAProxy has removed its server', async () => {
    const a = await machines.machine('a')
    const [x, y] = [await answering('x-1'), await answering('y-1')]
    await a.route(httpRoute({ targets: [x.active] }))
    expect(await send(a.port, [200, 404], 1)).toEqual([404, 200])
    await a.route(httpRoute({ targets: [y.active] }))
    await expect.poll(async () => serversOf('a')).not.toContain('x-1')
    const { instances } = await a.balancer.numbers()
    expect(instances.find(({ instance }) => instance === 'x-1')?.answers).toEqual([0, 1, 0, 1, 0])
  })

  it('tell held requests by service, and TCP connections by instance', async () => {
    const a = await machines.machine('a')
    const [port, t] = [await freePort(), await lab.tcpInstance('t-1', echo)]
    const queue = tcpRoute({ port, name: port, targets: [t.active] })
    await a.route(httpRoute({ holdMs: 10_000 }), queue)
    const held = [ask(a.port, { path: '/200' }), ask(a.port, { path: '/200' })]
    await say(await lab.connect(port), 'hello')
    const shop = { service: 'shop', own: [0, 0, 0, 0, 0], retries: 0, held: 2 }
    await expect.poll(async () => (await a.balancer.numbers()).services).toEqual([shop])
    const counts = { instance: 't-1', service: 'queue', answers: [0, 0, 0, 0, 0], connections: 1, errors: 0, work: 1 }
    expect((await a.balancer.numbers()).instances).toEqual([counts])
    await a.route(httpRoute({ targets: [(await answering('x-1')).active] }), queue)
    for (const { status } of await Promise.all(held)) expect(status).toBe(200)
  })
})

async function serversOf(machine: string): Promise<string> {
  return machines.masterOf(machine).ask((await machines.workerOf(machine)) ?? 0, 'show servers state')
}

describe.each([
  ['embedded', (name: string) => lab.machine(name)],
  ['haproxy', (name: string): Promise<LabMachine> => machines.machine(name, { limits: { checkMs: 60_000 } })],
])('for the same faults, %s', (_name, begin) => {
  const start = (): Promise<LabMachine> => begin('a')

  it('counts as its own answers a body that is too long, and a request for which no machine has an instance', async () => {
    const [a, b] = await Promise.all([begin('a'), begin('b')])
    const x = await answering('x-1')
    await a.route(httpRoute({ targets: [x.active], bodyBytes: 10 }))
    expect((await ask(a.port, { path: '/200', method: 'POST', body: 'far too long' })).status).toBe(413)
    await b.route(httpRoute({}))
    await a.route(httpRoute({ peers: [b.peer] }))
    expect((await ask(a.port, { path: '/200' })).status).toBe(503)
    const own = async ({ balancer }: LabMachine): Promise<number[][]> =>
      (await balancer.numbers()).services.flatMap((one) => (one.own.some((count) => count > 0) ? [one.own] : []))
    await expect.poll(() => own(a)).toEqual([[0, 0, 0, 1, 1]])
    expect(await own(b)).toEqual([])
  })

  it('counts an answer that never began where the instance is, also for a forwarded request', async () => {
    const [a, b] = await Promise.all([begin('a'), begin('b')])
    const breaking = await lab.instance('x-1', (request) => request.socket.destroy())
    await b.route(httpRoute({ targets: [breaking.active] }))
    await a.route(httpRoute({ peers: [b.peer] }))
    let asked = 0
    const post = async (): Promise<number> => {
      asked += 1
      return (await ask(a.port, { method: 'POST' })).status
    }
    // A peer is used once it has answered a check: until then, a itself answers.
    await expect.poll(post).toBe(502)
    const { instances: there, services: ofB } = await b.balancer.numbers()
    expect(there).toMatchObject([{ instance: 'x-1', answers: [0, 0, 0, 0, 0], errors: 1 }])
    await expect.poll(async () => (await b.balancer.numbers()).services[0]?.own ?? ofB).toEqual([0, 0, 0, 0, 1])
    const { instances: here, services } = await a.balancer.numbers()
    expect(here).toEqual([])
    expect(services.reduce((sum, { own }) => sum + own[4], 0)).toBe(asked - 1)
  })

  it('counts a refused connection and a retry, and an answer that never began', async () => {
    const a = await start()
    const dead = await answering('dead-1')
    const breaking = await lab.instance('x-1', (request) => request.socket.destroy())
    await a.route(httpRoute({ targets: [dead.active, breaking.active] }))
    await dead.kill()
    const statuses = [await ask(a.port, { method: 'POST' }), await ask(a.port, { method: 'POST' })]
    expect(statuses.map(({ status }) => status)).toEqual([502, 502])
    const about = { service: 'shop', answers: [0, 0, 0, 0, 0], connections: 0, work: 0 }
    await expect
      .poll(async () => await a.balancer.numbers())
      .toMatchObject({
        instances: expect.arrayContaining([
          { ...about, instance: 'dead-1', errors: 1 },
          { ...about, instance: 'x-1', errors: 2 },
        ]),
        services: [{ service: 'shop', own: [0, 0, 0, 0, 2], retries: 1, held: 0 }],
      })
  })
})
