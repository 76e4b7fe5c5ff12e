import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import type { DesiredState } from '../../protocol/desiredState.ts'
import { AgentDisk } from '../agentDisk.ts'
import { Crash, CrashingDisk } from '../jobs/testing/crash.ts'
import { aDesiredState, makeFolder } from '../testing/given.ts'
import { Releases, runs, startedAgent, type RunningAgent } from '../testing/runningAgent.ts'
import { until } from '../../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let releases: Releases
let running: RunningAgent[]
let wanted: DesiredState

beforeEach(async () => {
  folder = makeFolder('prepare')
  releases = await Releases.open(folder.path)
  running = []
  const shop = await releases.publish('1', { prepare: ['./migrate', '${TANDEM_SERVICE}'] })
  const prepare = [{ rollout: 'r1', service: 'shop', release: shop.id }]
  wanted = aDesiredState({ ...runs(shop), prepare })
})
afterEach(async () => {
  await Promise.all(running.map(({ agent }) => agent.close()))
  await folder.remove()
})
async function start(disk?: AgentDisk): Promise<RunningAgent> {
  const one = await startedAgent(join(folder.path, 'machine'), releases, disk && { disk })
  running.push(one)
  return one
}
const prepared = ({ agent }: RunningAgent): unknown => agent.report().prepared

it('runs once for a rollout, however often it is wanted, and reports how it ended', async () => {
  const one = await start()
  one.supervisor.setProgram(() => ({ ends: { afterMs: 10, code: 0 } }))
  one.agent.accept(wanted)
  one.agent.accept({ ...wanted, position: 11 })
  expect(prepared(one)).toEqual([])
  await until(() => expect(prepared(one)).toEqual([{ rollout: 'r1', ok: true, reason: '' }]))
  one.agent.accept({ ...wanted, position: 12 })
  expect(one.supervisor.starts.map(({ id, argv }) => [id, ...argv])).toEqual([['shop-r1-prepare', './migrate', 'shop']])
})

it.each([
  [{ code: 3 }, 'exited with status 3'],
  [{ signal: 'SIGKILL' }, 'killed by SIGKILL'],
])('that fails reports how: %o', async (end, reason) => {
  const one = await start()
  one.supervisor.setProgram(() => ({ ends: { afterMs: 1, ...end } }))
  one.agent.accept(wanted)
  await until(() => expect(prepared(one)).toEqual([{ rollout: 'r1', ok: false, reason }]))
})

it('that cannot start reports why', async () => {
  const one = await start()
  one.supervisor.setProgram(() => ({ failsStart: new Error('no such program') }))
  one.agent.accept(wanted)
  await until(() => expect(prepared(one)).toEqual([{ rollout: 'r1', ok: false, reason: 'no such program' }]))
})

it('gets its stop signal when its rollout is aborted', async () => {
  const one = await start()
  one.agent.accept(wanted)
  await until(() => expect(one.supervisor.running()).toEqual(['shop-r1-prepare']))
  one.agent.accept({ ...wanted, prepare: [], position: 11 })
  await until(() => expect(one.supervisor.running()).toEqual([]))
  await until(() => expect(prepared(one)).toEqual([{ rollout: 'r1', ok: false, reason: 'killed by SIGTERM' }]))
})

it('is not run again after the agent was killed while prepare ran: it is reported as failed', async () => {
  const killed = await start()
  killed.agent.accept(wanted)
  await until(() => expect(killed.supervisor.running()).toEqual(['shop-r1-prepare']))
  // After a kill the old agent writes nothing more to its disk; another agent starts on that disk.
  killed.disk.write = () => {}

  const next = await start()
  expect(prepared(next)).toEqual([{ rollout: 'r1', ok: false, reason: 'the agent ended while prepare ran' }])
  next.agent.accept({ ...wanted, position: 11 })
  await new Promise((resolve) => setTimeout(resolve, 30)) // it may not start in this time
  expect(next.supervisor.starts).toEqual([])
})

it('is run at most once, wherever the agent is killed, and an agent from before jobs knows the same', async () => {
  let points = 0
  for (; ; points++) {
    await rm(join(folder.path, 'machine'), { recursive: true, force: true })
    const crash = new Crash(points)
    const killed = await start(new CrashingDisk(join(folder.path, 'machine'), crash))
    killed.supervisor.setProgram(() => ({ ends: { afterMs: 1, code: 0 } }))
    killed.agent.accept(wanted)
    await until(() => expect(crash.isOver || killed.agent.report().prepared.length > 0).toBe(true))
    if (!crash.isOver) break
    const former = new AgentDisk(join(folder.path, 'machine')).read('prepared', z.array(z.unknown())) ?? []
    const next = await start()
    next.supervisor.setProgram(() => ({ ends: { afterMs: 1, code: 0 } }))
    next.agent.accept({ ...wanted, position: 11 })
    await until(() => expect(next.agent.report().prepared).toHaveLength(1))
    const at = crash.passed.at(-1)
    const starts = [...killed.supervisor.starts, ...next.supervisor.starts]
    expect(starts.length, at).toBeLessThanOrEqual(1)
    // An agent from before jobs would not run it a second time either.
    expect(killed.supervisor.starts.length, at).toBeLessThanOrEqual(former.length)
    await Promise.all([killed, next].map(({ agent }) => agent.close().catch(() => {})))
  }
  expect(points).toBe(8)
})

const full = (): never => {
  throw new Error('ENOSPC: no space left on device')
}

it('that ends on a full disk keeps its result, which is written when there is room', async () => {
  const one = await start()
  one.agent.accept(wanted)
  await until(() => expect(one.supervisor.running()).toEqual(['shop-r1-prepare']))
  const write = one.disk.write.bind(one.disk)
  one.disk.write = (name, content) => (name === 'prepared' ? full() : write(name, content))
  one.supervisor.die('shop-r1-prepare', { code: 0 })
  const ended = [{ rollout: 'r1', ok: true, reason: '' }]
  await until(() => expect(prepared(one)).toEqual(ended))
  const problem = 'cannot write the result of prepare to disk: ENOSPC: no space left on device'
  expect(one.agent.report().problems).toEqual([problem])
  one.disk.write = write
  one.agent.retry()
  expect(one.agent.report().problems).toEqual([])
  expect(prepared(await start())).toEqual(ended)
})

it('that cannot be written to disk does not begin, blocks no other part of the state, and begins when there is room', async () => {
  const one = await start()
  one.supervisor.setProgram(() => ({ ends: { afterMs: 1, code: 0 } }))
  const write = one.disk.write.bind(one.disk)
  one.disk.write = (name, content) => (name === 'prepared' ? full() : write(name, content))
  one.agent.accept(wanted)
  await until(() => expect(one.agent.report().applied).toMatchObject({ supervisor: 10, balancer: 10, address: 10 }))
  await until(() => expect(one.agent.report().problems).toEqual(['prepare: ENOSPC: no space left on device']))
  expect(one.supervisor.starts).toEqual([])
  one.disk.write = write
  one.agent.retry()
  await until(() => expect(prepared(one)).toEqual([{ rollout: 'r1', ok: true, reason: '' }]))
  expect(one.agent.report().problems).toEqual([])
})

it('is forgotten in time: only the last fifty are reported', async () => {
  const one = await start()
  one.supervisor.setProgram(() => ({ failsStart: new Error('no') }))
  const [first] = wanted.prepare
  for (let i = 0; i < 60; i++) {
    const prepare = [{ rollout: `r${i}`, service: 'shop', release: first?.release ?? '' }]
    one.agent.accept({ ...wanted, prepare, position: 20 + i })
    await until(() => expect(one.agent.report().prepared.some(({ rollout }) => rollout === `r${i}`)).toBe(true))
  }
  expect(one.agent.report().prepared).toHaveLength(50)
})
