import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createFakeSupervisor, type FakeSupervisor } from '../drivers/supervisor/fakeSupervisor.ts'
import { systemClock } from '../lib/clock.ts'
import { aDesiredState, makeFolder } from './testing/given.ts'
import { Releases, runs, startedAgent, type RunningAgent } from './testing/runningAgent.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let releases: Releases
let supervisor: FakeSupervisor
let running: RunningAgent[]

beforeEach(async () => {
  folder = makeFolder('adoption')
  releases = await Releases.open(folder.path)
  supervisor = createFakeSupervisor(systemClock, { outlivesAgent: true })
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ agent }) => agent.close()))
  await Promise.all(supervisor.running().map((id) => supervisor.stop(id)))
  await folder.remove()
})

/** Starts an agent on the disk of that name; another name means a wiped disk. */
async function start(disk: string): Promise<RunningAgent> {
  const one = await startedAgent(join(folder.path, disk), releases, { supervisor })
  running.push(one)
  return one
}
const ready = ({ agent }: RunningAgent): string[] =>
  agent.report().instances.flatMap(({ id, state }) => (state === 'ready' ? [id] : []))
async function ran(...ids: string[]): Promise<Awaited<ReturnType<Releases['publish']>>> {
  const shop = await releases.publish('1')
  const first = await start('machine')
  first.agent.accept(aDesiredState(runs(shop, ...ids)))
  await until(() => expect(ready(first)).toEqual(ids))
  await first.agent.close()
  running = []
  return shop
}

it('adopts the instances it finds running, and starts nothing again', async () => {
  await ran('x', 'y')
  const next = await start('machine')
  await until(() => expect(ready(next)).toEqual(['x', 'y']))
  expect(supervisor.starts.map(({ id }) => id)).toEqual(['x', 'y'])
})

it('on a wiped disk, leaves running instances alone until a desired state comes, then unroutes and stops the unwanted ones', async () => {
  const shop = await ran('x', 'y')
  const next = await start('wiped')
  expect(next.balancer.plans).toEqual([])
  expect(supervisor.running()).toEqual(['x', 'y'])
  const plansBefore: number[] = []
  supervisor.onExit(() => plansBefore.push(next.balancer.plans.length))
  next.agent.accept(aDesiredState(runs(shop, 'x')))
  await until(() => expect(supervisor.running()).toEqual(['x']))
  expect(next.balancer.released).toEqual(['y'])
  expect(plansBefore[0]).toBeGreaterThan(0)
  expect(supervisor.starts.map(({ id }) => id)).toEqual(['x', 'y'])
  expect(ready(next)).toEqual(['x'])
})

it('reports an instance that cannot be stopped, and retries', async () => {
  const shop = await ran('x', 'y')
  const stop = supervisor.stop.bind(supervisor)
  let failures = 0
  supervisor.stop = async (id) => {
    if (failures++ === 0) throw new Error('it does not end')
    await stop(id)
  }
  const next = await start('wiped')
  next.agent.accept(aDesiredState(runs(shop, 'x')))
  await until(() => expect(next.agent.report().problems.join()).toContain('it does not end'))
  next.agent.retry()
  await until(() => expect(supervisor.running()).toEqual(['x']))
  await until(() => expect(next.agent.report().problems).toEqual([]))
})

it('reports since when an instance is ready, and its restarts, like the previous agent', async () => {
  const shop = await releases.publish('1')
  const first = await start('machine')
  first.agent.accept(aDesiredState(runs(shop, 'x')))
  await until(() => expect(ready(first)).toEqual(['x']))
  supervisor.die('x', { code: 3 })
  await until(() => expect(first.agent.report().instances).toMatchObject([{ state: 'ready', restarts: 1 }]))
  const shown = ({ agent }: RunningAgent): unknown =>
    agent.report().instances.map(({ id, state, since, restarts }) => ({ id, state, since, restarts }))
  const before = shown(first)
  await first.agent.close()
  running = []
  const afterwards = Date.now() + 1
  await until(() => expect(Date.now()).toBeGreaterThan(afterwards))
  const next = await start('machine')
  await until(() => expect(ready(next)).toEqual(['x']))
  expect(shown(next)).toEqual(before)
  await next.agent.close()
  running = []
  // Of an instance that no agent wrote to disk, the supervisor knows.
  const wiped = await start('wiped')
  wiped.agent.accept(aDesiredState(runs(shop, 'x')))
  await until(() => expect(ready(wiped)).toEqual(['x']))
  const [seen] = wiped.agent.report().instances
  expect(Date.parse(seen?.since ?? '')).toBeLessThan(afterwards)
})
