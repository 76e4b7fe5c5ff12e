import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import type { Machine } from './machine.ts'

const idOn = (cluster: Cluster, machine: string): string =>
  cluster.instances().find((one) => one.machine === machine)?.id ?? ''

/** The figures of `shop` on one machine. */
async function figures(cluster: Cluster, machine: string) {
  const { services } = await cluster.call('numbers', {})
  return services.find((one) => one.machine === machine && one.service === 'shop')
}

/** Answers a second, for a while: 200 but for every tenth. */
async function serve(cluster: Cluster, { balancer }: Machine, instance: string, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    balancer.answers(instance, 'shop', 200, 9)
    balancer.answers(instance, 'shop', 500, 1)
    await cluster.clock.advance(1_000)
  }
}

it('tells requests a second and the share of errors of the last 60 s, and totals', async () => {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const [a, id] = [cluster.machine('a'), idOn(cluster, 'a')]
  cluster.readNumbers()
  await cluster.clock.advance(1_000)
  expect(await figures(cluster, 'a')).toMatchObject({ instances: [{ instance: id, perSecond: null, errors: null }] })
  a.balancer.setInFlight(id, { work: 3, long: 0 })
  a.balancer.answersItself('shop', 503, 5)
  await serve(cluster, a, id, 120)
  const shop = await figures(cluster, 'a')
  expect(shop).toMatchObject({ own: [0, 0, 0, 0, 5], errors: 0.1 })
  expect(shop?.perSecond).toBeCloseTo(10, 0)
  expect(shop?.instances).toMatchObject([{ instance: id, inFlight: 3, errors: 0.1, failed: 0 }])
  const total = shop?.instances[0]?.answers ?? []
  expect(total[1]).toBe((total[4] ?? 0) * 9)
  await cluster.clock.advance(60_000)
  expect(await figures(cluster, 'a')).toMatchObject({ instances: [{ perSecond: 0, errors: null }] })
})

it('asks every 10 s, every 2 s while somebody looks, and while a rollout runs', async () => {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const keeper = cluster.readNumbers()
  let readings = 0
  keeper.onSample(({ machine }) => (readings += Number(machine === 'a')))
  const count = async (during: () => Promise<unknown>): Promise<number> => {
    readings = 0
    await during()
    return readings
  }
  const minute = (): Promise<void> => cluster.clock.advance(60_000)
  expect(await count(minute)).toBe(6)
  const [over, overToo] = [keeper.look(), keeper.look()]
  expect(await count(minute)).toBeGreaterThanOrEqual(30)
  over()
  over()
  expect(await count(minute)).toBeGreaterThanOrEqual(29)
  overToo()
  expect(await count(minute)).toBeLessThanOrEqual(7)
  const started = cluster.clock.now()
  const during = await count(() => cluster.push('2'))
  expect(during).toBeGreaterThanOrEqual(Math.floor((cluster.clock.now() - started) / 2_000))
})

it('keeps 15 minutes, in points of either interval', async () => {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const [a, id] = [cluster.machine('a'), idOn(cluster, 'a')]
  const keeper = cluster.readNumbers()
  await serve(cluster, a, id, 300)
  keeper.look()
  await serve(cluster, a, id, 700)
  const { instances, machines } = await cluster.call('numbersSeries', { query: { service: 'shop' } })
  const columns = instances.find(({ instance }) => instance === id)
  const ages = columns?.at.map((at) => cluster.clock.now() - at) ?? []
  expect(Math.max(...ages)).toBeLessThanOrEqual(900_000)
  expect(Math.max(...ages)).toBeGreaterThan(885_000)
  expect(ages.length).toBeGreaterThanOrEqual(350 + 18)
  expect(columns?.perSecond).toHaveLength(ages.length)
  for (const rate of columns?.perSecond ?? []) expect(rate).toBeCloseTo(10, 0)
  for (const rate of columns?.errorsPerSecond ?? []) expect(rate).toBeCloseTo(1, 0)
  expect(machines.map(({ machine }) => machine)).toEqual(['a', 'b'])
  const since = new Date(cluster.clock.now() - 60_000).toISOString()
  const late = await cluster.call('numbersSeries', { query: { service: 'shop', since } })
  expect(late.instances.find(({ instance }) => instance === id)?.at.length).toBeLessThanOrEqual(30)
})

it('begins again with counts that begin again, and is never negative', async () => {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const [a, id] = [cluster.machine('a'), idOn(cluster, 'a')]
  cluster.readNumbers().look()
  await serve(cluster, a, id, 30)
  a.losePower()
  await cluster.wait(a.startAgent())
  a.balancer.counting = 'second'
  await cluster.until('the instance is back', () => a.connected)
  a.balancer.answers(id, 'shop', 200, 7)
  await cluster.clock.advance(20_000)
  const { instances } = await cluster.call('numbersSeries', { query: { service: 'shop' } })
  for (const { perSecond } of instances) for (const rate of perSecond) expect(rate).toBeGreaterThanOrEqual(0)
  const rates = instances.find(({ instance }) => instance === id)?.perSecond ?? []
  expect(rates.some((rate) => rate > 9)).toBe(true)
  expect(rates.at(-1)).toBe(0)
})

it('tells of a machine that is away as of when its figures are, and why there are none', async () => {
  const cluster = await Cluster.start()
  await cluster.push('1')
  const b = cluster.machine('b')
  b.load = {
    cpu: { busyMs: 0, totalMs: 1_000 },
    memory: { totalBytes: 100, availableBytes: 25 },
    disk: { totalBytes: 1_000, freeBytes: 900 },
  }
  const keeper = cluster.readNumbers()
  await cluster.clock.advance(1_000)
  b.load = { ...b.load, cpu: { busyMs: 500, totalMs: 3_000 } }
  await cluster.clock.advance(12_000)
  const [, before] = keeper.newest().machines
  expect(before).toMatchObject({ machine: 'b', missing: null, cpu: 0.25, memory: { usedBytes: 75, totalBytes: 100 } })
  b.killAgent()
  await cluster.clock.advance(60_000)
  const [, after] = keeper.newest().machines
  expect(after).toMatchObject({ asOf: expect.any(String), disk: { usedBytes: 100, totalBytes: 1_000 } })
  expect(after?.missing).toContain('machine b is not connected')
  expect(cluster.clock.now() - Date.parse(after?.asOf ?? '')).toBeGreaterThanOrEqual(60_000)
})

it('asks an agent that does not know the question once in its life', async () => {
  const cluster = await Cluster.start({ machines: 1 })
  const line = cluster.machine('a').line
  let asked = 0
  line.unknown = ['numbers']
  line.onMessage = (event) => (asked += Number(event === 'ask'))
  const keeper = cluster.readNumbers()
  await cluster.clock.advance(60_000)
  expect(keeper.newest().machines).toMatchObject([{ missing: expect.stringContaining('not reported'), asOf: null }])
  expect(asked).toBe(1)
  line.unknown = []
  cluster.machine('a').killAgent()
  await cluster.wait(cluster.machine('a').startAgent())
  await cluster.clock.advance(60_000)
  expect(keeper.newest().machines).toMatchObject([{ missing: null }])
})
