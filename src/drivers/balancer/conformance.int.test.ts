import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BalancerDriver, RoutingPlan, Target } from './balancer.ts'
import { ask, BalancerLab, httpRoute, LabMachine } from './balancerLab.ts'
import { FakeBalancer } from './fakeBalancer.ts'
import { HaproxyLab, whyNoHaproxy } from './haproxy/haproxyLab.ts'

/** The promises that every balancer keeps. A bench can put work on an instance of its driver, of service `shop`. */
interface Bench {
  driver: BalancerDriver
  machine: LabMachine
  port: number
  /** Begins one piece of work on `x`; resolves once the work has arrived. */
  begin(): Promise<{ end(): void; over: Promise<unknown> }>
  /** One request, which `x` answers with this status if the balancer passes it there. */
  request(status: number): Promise<number>
}

const lab: { current: BalancerLab } = { current: new BalancerLab() }
afterEach(async () => {
  await lab.current.close()
  lab.current = new BalancerLab()
})

async function fakeBench(): Promise<Bench> {
  const driver = new FakeBalancer()
  await driver.listen()
  return {
    driver,
    machine: new LabMachine('a', driver),
    port: 1,
    begin: async () => {
      driver.setInFlight('x', { work: 1, long: 0 })
      const end = (): void => {
        driver.answers('x', 'shop', 200)
        driver.setInFlight('x', { work: 0, long: 0 })
      }
      return { end, over: Promise.resolve() }
    },
    request: (status) => {
      const passes = driver.plan?.routes.some(({ targets }) => targets.some(({ state }) => state === 'active')) === true
      if (passes) driver.answers('x', 'shop', status)
      else driver.answersItself('shop', 503)
      return Promise.resolve(passes ? status : 503)
    },
  }
}

async function embeddedBench(): Promise<Bench> {
  return realBench(() => lab.current.machine('a'))
}

async function haproxyBench(): Promise<Bench> {
  return realBench(() => new HaproxyLab(lab.current).machine('a'))
}

async function realBench(start: () => Promise<LabMachine>): Promise<Bench> {
  const arrived: ServerResponse[] = []
  const instance = await lab.current.instance('x', (request, response) => {
    const status = Number(request.url?.slice(1))
    if (status > 0) return void response.writeHead(status).end()
    arrived.push(response)
    instance.server.emit('arrived')
  })
  const machine = await start()
  return {
    driver: machine.balancer,
    machine,
    port: instance.port,
    begin: async () => {
      const there = once(instance.server, 'arrived')
      const over = ask(machine.port).catch(() => null)
      await there
      // The counts of HAProxy are polled, not reported.
      await expect.poll(() => machine.balancer.inFlight('x').work, { interval: 5 }).toBeGreaterThan(0)
      return { end: () => void arrived.pop()?.end('done'), over }
    },
    request: async (status) => (await ask(machine.port, { path: `/${status}` })).status,
  }
}

const plan = (position: number, ...targets: Target[]): RoutingPlan => ({
  position,
  machine: 'a',
  routes: [httpRoute({ targets })],
})

const noHaproxy = whyNoHaproxy()

describe.each([
  ['fake', fakeBench, null],
  ['embedded', embeddedBench, null],
  ['haproxy', haproxyBench, noHaproxy],
])('a balancer: %s', (name, makeBench, whyNot) => {
  beforeEach(({ skip }) => skip(whyNot !== null, `${name}: ${whyNot}`))

  const target = (bench: Bench, state: Target['state']): Target => ({ instance: 'x', port: bench.port, state })

  it('knows its ports after listen', async () => {
    const { driver } = await makeBench()
    expect(driver.ports.http).toBeGreaterThan(0)
    expect(driver.ports.forward).toBeGreaterThan(0)
    expect(driver.ports.forward).not.toBe(driver.ports.http)
  })

  it('has nothing in flight on an instance it does not know, and nothing to release or cut', async () => {
    const { driver } = await makeBench()
    expect(driver.inFlight('nobody')).toEqual({ work: 0, long: 0 })
    await driver.release('nobody')
    driver.cut('nobody')
  })

  it('counts work while it lasts, also while draining, and reports when the last work has ended', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    const work = await bench.begin()
    expect(bench.driver.inFlight('x').work).toBe(1)
    await bench.driver.apply(plan(2, target(bench, 'draining')))
    expect(bench.machine.changes).toEqual([])
    expect(bench.driver.inFlight('x').work).toBe(1)
    work.end()
    await bench.machine.told('idle', 'x')
    expect(bench.driver.inFlight('x')).toEqual({ work: 0, long: 0 })
    await work.over
  })

  it('reports at once when an instance that begins to drain has no work', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    await bench.driver.apply(plan(2, target(bench, 'draining')))
    expect(bench.machine.changes).toEqual([{ type: 'idle', instance: 'x' }])
  })

  it('reports the same for an instance that no plan names any more', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    const work = await bench.begin()
    await bench.driver.apply({ position: 2, machine: 'a', routes: [] })
    expect(bench.machine.changes).toEqual([])
    expect(bench.driver.inFlight('x').work).toBe(1)
    work.end()
    await bench.machine.told('idle', 'x')
    await work.over
  })

  it('reports nothing for an active instance that has no work', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    const work = await bench.begin()
    work.end()
    await work.over
    await bench.driver.apply(plan(2, target(bench, 'active')))
    expect(bench.machine.changes).toEqual([])
  })

  it('takes a draining instance back', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    const first = await bench.begin()
    await bench.driver.apply(plan(2, target(bench, 'draining')))
    await bench.driver.apply(plan(3, target(bench, 'active')))
    first.end()
    await first.over
    expect(bench.machine.changes).toEqual([])
  })

  it('releases without cutting, and cuts', async () => {
    const bench = await makeBench()
    await bench.driver.apply(plan(1, target(bench, 'active')))
    const work = await bench.begin()
    await bench.driver.apply(plan(2, target(bench, 'draining')))
    await bench.driver.release('x')
    expect(bench.driver.inFlight('x').work).toBe(1)
    bench.driver.cut('x')
    await bench.machine.told('idle', 'x')
    expect(bench.driver.inFlight('x').work).toBe(0)
    await work.over
  })

  it('counts the answers of an instance by class, and its own answers by service', async () => {
    const bench = await makeBench()
    const { driver } = bench
    await driver.apply(plan(1, target(bench, 'active')))
    for (const status of [200, 204, 301, 404, 200, 500, 503, 500]) expect(await bench.request(status)).toBe(status)
    const work = await bench.begin()
    const counts = { instance: 'x', service: 'shop', connections: 0, errors: 0 }
    const { counting, instances, services } = await driver.numbers()
    expect(instances).toEqual([{ ...counts, answers: [0, 3, 1, 1, 3], work: 1 }])
    expect(services).toEqual([])
    work.end()
    await work.over
    await driver.apply(plan(2))
    for (const _ of ['one', 'two']) expect(await bench.request(200)).toBe(503)
    await expect
      .poll(async () => (await driver.numbers()).services, { interval: 5 })
      .toEqual([{ service: 'shop', own: [0, 0, 0, 0, 2], retries: 0, held: 0 }])
    expect(await driver.numbers()).toMatchObject({
      counting,
      instances: [{ ...counts, answers: [0, 4, 1, 1, 3], work: 0 }],
    })
  })

  it('can be closed twice, and accepts no plan after that', async () => {
    const { driver } = await makeBench()
    await driver.close()
    await driver.close()
    await expect(driver.apply(plan(1))).rejects.toThrow('closed')
  })
})

describe('the fake', () => {
  it('fails an apply on request, and changes nothing', async () => {
    const driver = new FakeBalancer()
    driver.failNextApply(new Error('disk full'))
    await expect(driver.apply(plan(1))).rejects.toThrow('disk full')
    expect(driver.plan).toBeNull()
    await driver.apply(plan(2))
    expect(driver.plan?.position).toBe(2)
  })

  it('delays an apply on request, and the applies behind it', async () => {
    const driver = new FakeBalancer()
    const gate = Promise.withResolvers<void>()
    driver.delayNextApply(gate.promise)
    const applied = [driver.apply(plan(1)), driver.apply(plan(2))]
    expect(driver.plans).toEqual([])
    gate.resolve()
    await Promise.all(applied)
    expect(driver.plans.map(({ position }) => position)).toEqual([1, 2])
  })
})
