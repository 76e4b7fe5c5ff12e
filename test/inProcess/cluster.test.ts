import { createHook } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { Cluster } from './cluster.ts'
import { Load } from './load.ts'

/** A little of everything: rollouts, faults of the line, kills, a lost machine. */
async function busyDay(seed: number): Promise<Cluster> {
  const cluster = await Cluster.start({ machines: 3, seed })
  for (const { line } of cluster.machines.values()) line.set({ delayMs: 40, losesAnswers: 0.1, repeats: 0.1 })
  await cluster.push('1')
  cluster.machine('a').killAgent()
  await cluster.wait(cluster.machine('a').startAgent())
  cluster.machine('b').line.set({ state: 'silent' })
  await cluster.push('2')
  cluster.machine('b').line.set({ state: 'up' })
  cluster.killController()
  await cluster.clock.advance(5_000)
  await cluster.startController()
  cluster.clock.jump(3_600_000)
  await cluster.push('3', { instances: 2 })
  await cluster.rest()
  return cluster
}

const realKinds = /^(FS|TCP|PIPE|TLS|UDP|GETADDR|ZLIB|CRYPTO|HASH|RANDOMBYTES|SIGN|WORKER|Timeout|Immediate)/i

/** Everything that completes in a turn of the event loop of its own, and that our code began during `work`. */
async function realWaits(work: () => Promise<unknown>): Promise<Set<string>> {
  const found = new Set<string>()
  const hook = createHook({
    init: (_, type) => {
      if (!realKinds.test(type)) return
      const by = (new Error(type).stack ?? '')
        .split('\n')
        .slice(2)
        .find((line) => /\/(src|inProcess)\//.test(line))
      if (by !== undefined && !by.includes('virtualClock.ts')) found.add(`${type} ${by.trim()}`)
    },
  }).enable()
  await work()
  hook.disable()
  return found
}

describe('a cluster in one process', () => {
  it('does the same again from the same seed, and other things from another', async () => {
    const [first, again, other] = [await busyDay(7), await busyDay(7), await busyDay(8)]
    expect(again.disk.rows).toEqual(first.disk.rows)
    expect(again.clock.monotonic()).toBe(first.clock.monotonic())
    expect(other.disk.rows).not.toEqual(first.disk.rows)
  })

  it('waits for nothing real: no file, socket, thread or timer is used, so virtual time decides the order', async () => {
    expect([...(await realWaits(() => busyDay(9)))]).toEqual([])
    expect([...(await realWaits(() => sleep(systemClock, 1)))]).toEqual([expect.stringContaining('Timeout')])
  })

  it('carries requests as balancers do, and notices one that is lost', async () => {
    const cluster = await Cluster.start()
    await cluster.push('1')
    const load = new Load(cluster)
    await cluster.clock.advance(1_000)
    expect(load.failures).toEqual([])
    for (const { id } of cluster.machine('a').running()) cluster.machine('a').supervisor.die(id)
    await cluster.clock.advance(1_000)
    expect((await load.stop()).failures).not.toEqual([])
  })
})
