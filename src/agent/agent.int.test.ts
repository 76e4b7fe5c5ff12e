import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeSupervisor } from '../drivers/supervisor/fakeSupervisor.ts'
import { systemClock } from '../lib/clock.ts'
import { reportSchema, type Report } from '../protocol/report.ts'
import { aDesiredState, makeFolder } from './testing/given.ts'
import { Releases, runs, startedAgent, type RunningAgent } from './testing/runningAgent.ts'
import { until } from '../lib/testing/until.ts'

let folder: ReturnType<typeof makeFolder>
let releases: Releases
let running: RunningAgent[]

beforeEach(async () => {
  folder = makeFolder('agent')
  releases = await Releases.open(folder.path)
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ agent }) => agent.close()))
  await folder.remove()
})

async function start(given: Parameters<typeof startedAgent>[2] = {}): Promise<RunningAgent> {
  const one = await startedAgent(join(folder.path, 'machine'), releases, given)
  running.push(one)
  return one
}
/** Parses the report as the controller does: a report that the controller would refuse fails here. */
const report = ({ agent }: RunningAgent): Report => reportSchema.parse(agent.report())
const states = (one: RunningAgent): Record<string, string> =>
  Object.fromEntries(report(one).instances.map(({ id, state }) => [id, state]))

/** An agent with one ready instance, `x`. */
async function serving(): Promise<RunningAgent> {
  const one = await start()
  one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
  await until(() => expect(states(one)).toEqual({ x: 'ready' }))
  return one
}

describe('an agent brings the machine to the desired state', () => {
  it('starts missing instances, stops unwanted ones, and reports both', async () => {
    const one = await start()
    const shop = await releases.publish('1')
    one.agent.accept(aDesiredState(runs(shop, 'x', 'y')))
    await until(() => expect(states(one)).toEqual({ x: 'ready', y: 'ready' }))
    one.agent.accept(aDesiredState({ ...runs(shop, 'y', 'z'), position: 11 }))
    await until(() => expect(states(one)).toEqual({ y: 'ready', z: 'ready' }))
    expect(one.supervisor.running().toSorted()).toEqual(['y', 'z'])
    expect(report(one)).toMatchObject({ applied: { supervisor: 11, balancer: 11, address: 11 }, problems: [] })
  })

  it('starts no instance twice when desired states come faster than it can apply them', async () => {
    const one = await start()
    const shop = await releases.publish('1')
    for (let position = 10; position < 60; position++) {
      const ids = position % 2 === 0 ? ['x'] : ['x', `only-${position}`]
      one.agent.accept(aDesiredState({ ...runs(shop, ...ids), position }))
    }
    await until(() => expect(states(one)).toEqual({ x: 'ready', 'only-59': 'ready' }))
    const started = one.supervisor.starts.map(({ id }) => id)
    expect(new Set(started).size).toBe(started.length)
    expect(one.supervisor.running().toSorted()).toEqual(['only-59', 'x'])
    expect(report(one).applied).toEqual({ supervisor: 59, balancer: 59, address: 59 })
  })

  it('reports a position as applied by the balancer only once it is', async () => {
    const one = await start()
    one.agent.accept(aDesiredState({ position: 10 }))
    await until(() => expect(report(one).applied.balancer).toBe(10))
    const gate = Promise.withResolvers<void>()
    one.balancer.delayNextApply(gate.promise)
    one.agent.accept(aDesiredState({ position: 11 }))
    one.agent.accept(aDesiredState({ position: 12 }))
    await new Promise((resolve) => setTimeout(resolve, 20)) // the agent must not report it in this time
    expect(report(one).applied).toMatchObject({ supervisor: 12, balancer: 10 })
    gate.resolve()
    await until(() => expect(report(one).applied.balancer).toBe(12))
    expect(one.balancer.plans.map(({ position }) => position)).toEqual([10, 12])
  })

  it('reports an instance that came back as ready only once the balancer has it again', async () => {
    const one = await serving()
    const gate = Promise.withResolvers<void>()
    one.balancer.delayNextApply(gate.promise)
    one.supervisor.die('x')
    await until(() => expect(one.disk.readInstances()['x']).toMatchObject({ state: 'ready', restarts: 1 }))
    expect(states(one)).toEqual({ x: 'starting' })
    gate.resolve()
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
  })

  it('takes an instance out of the routes before it stops any of its processes', async () => {
    const one = await serving()
    const gate = Promise.withResolvers<void>()
    one.balancer.delayNextApply(gate.promise)
    one.agent.accept(aDesiredState({ position: 11 }))
    await until(() => expect(one.balancer.released).toEqual([]))
    expect(one.supervisor.running()).toEqual(['x'])
    gate.resolve()
    await until(() => expect(states(one)).toEqual({}))
    expect(one.balancer).toMatchObject({ released: ['x'], cuts: ['x'] })
  })

  it('restarts an instance that is wanted again while it stops', async () => {
    const one = await start()
    one.supervisor.setProgram(() => ({ hangsAtStop: true }))
    const shop = await releases.publish('1', { stop: { signal: 'SIGTERM', withinMs: 100 } })
    one.agent.accept(aDesiredState(runs(shop, 'x')))
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    one.agent.accept(aDesiredState({ position: 11 }))
    await until(() => expect(states(one)).toEqual({ x: 'draining' }))
    one.agent.accept(aDesiredState({ ...runs(shop, 'x'), position: 12 }))
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    expect(one.supervisor.starts).toHaveLength(2)
  })

  it('reports work in flight, and reports a ready instance that finishes its work as draining', async () => {
    const one = await start()
    const shop = await releases.publish('1')
    const desired = aDesiredState(runs(shop, 'x'))
    one.agent.accept(desired)
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    one.balancer.setInFlight('x', { work: 3, long: 1 })
    expect(report(one).instances[0]).toMatchObject({ state: 'ready', work: 3, long: 1 })
    const retired = desired.instances.map((instance) => ({ ...instance, traffic: 'idle' as const }))
    one.agent.accept({ ...desired, instances: retired, position: 11 })
    expect(states(one)).toEqual({ x: 'draining' })
    one.balancer.setInFlight('x', { work: 0, long: 0 })
    expect(states(one)).toEqual({ x: 'ready' })
  })

  it('shortens texts that would make the controller refuse its report', async () => {
    const one = await start()
    one.supervisor.setProgram(() => ({ failsStart: new Error('x'.repeat(100_000)) }))
    one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
    await until(() => expect(states(one)).toEqual({ x: 'failed' }))
    expect(report(one).instances[0]?.reason?.length).toBe(2_000)
  })
})

describe('an agent obeys one controller', () => {
  it('refuses an older log, keeps running, and reports the state it runs by', async () => {
    const one = await start()
    const shop = await releases.publish('1')
    one.agent.accept(aDesiredState({ ...runs(shop, 'x'), position: 20 }))
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    one.agent.accept(aDesiredState({ position: 19 }))
    expect(report(one)).toMatchObject({
      refused: { code: 'E_LOG_BEHIND' },
      seen: { term: 1, termId: 'one', position: 20 },
      held: { position: 20, instances: [{ id: 'x' }] },
    })
    expect(states(one)).toEqual({ x: 'ready' })
    one.agent.accept(aDesiredState({ ...runs(shop, 'x'), position: 21 }))
    expect(report(one)).toMatchObject({ refused: null, held: null, seen: { position: 21 } })
    expect(one.obeyed).toEqual([20, 21])
  })

  it("refuses another machine's desired state", async () => {
    const one = await start()
    one.agent.accept(aDesiredState({ machine: 'b' }))
    expect(report(one).refused?.message).toBe('the desired state is meant for machine b, but this machine is a')
    expect(report(one).seen).toBeNull()
  })
})

describe('without a controller', () => {
  it('restores what it ran last, and still refuses older states', async () => {
    const first = await start()
    const shop = await releases.publish('1')
    first.agent.accept(aDesiredState({ ...runs(shop, 'x', 'y'), position: 20 }))
    await until(() => expect(states(first)).toEqual({ x: 'ready', y: 'ready' }))
    const { boot } = report(first)
    await first.agent.close()
    expect(first.supervisor.running()).toEqual([])

    const second = await start()
    await until(() => expect(states(second)).toEqual({ x: 'ready', y: 'ready' }))
    expect(report(second).boot).toBeGreaterThan(boot)
    second.agent.accept(aDesiredState({ position: 19 }))
    expect(report(second).refused?.code).toBe('E_LOG_BEHIND')
  })

  it('starts nothing when it never had a desired state', async () => {
    const one = await start()
    expect(report(one)).toMatchObject({
      seen: null,
      instances: [],
      applied: { supervisor: 0, balancer: 0, address: 0 },
    })
  })

  it.each([
    ['desired', 'the controller sends the desired state again'],
    ['jobs', 'one that is in progress may run again'],
    ['ports', 'it makes a new file'],
  ])('names the damaged file %s and the next step, rather than forget what it runs', async (name, consequence) => {
    await start()
    const path = join(folder.path, `machine/${name}.json`)
    writeFileSync(path, '{"machine":')
    await expect(start()).rejects.toMatchObject({
      code: 'E_ENVIRONMENT',
      subject: path,
      next: expect.stringMatching(new RegExp(`^mv ${path} ${path}.damaged   .*${consequence}`)),
    })
  })
})

describe('the agent reports and retries a failure of', () => {
  it.each(['balancer', 'address'] as const)('the %s', async (driver) => {
    const one = await start()
    const error = new Error('port 5672 is in use')
    if (driver === 'balancer') one.balancer.failNextApply(error)
    else one.address.failNext(error)
    one.agent.accept(aDesiredState())
    await until(() => expect(report(one).problems).toEqual([`${driver}: port 5672 is in use`]))
    expect(report(one).applied[driver]).toBe(0)
    one.agent.retry()
    await until(() => expect(report(one)).toMatchObject({ problems: [], applied: { [driver]: 10 } }))
  })

  it('one route: it is named, and all the others count as applied', async () => {
    const one = await start()
    const reason = 'cannot listen on TCP port 5672'
    one.balancer.unserved = [{ service: 'queue', reason }]
    one.agent.accept(aDesiredState())
    const told = { unserved: [{ service: 'queue', reason }], problems: [reason], applied: { balancer: 10 } }
    await until(() => expect(report(one)).toMatchObject(told))
    one.balancer.unserved = []
    one.agent.retry()
    await until(() => expect(report(one)).toMatchObject({ unserved: [], problems: [] }))
  })

  it('the balancer itself: it gets its plan again when it does not start with the last one', async () => {
    const one = await start()
    one.agent.accept(aDesiredState())
    await until(() => expect(report(one).applied.balancer).toBe(10))
    const before = one.balancer.plans.length
    one.agent.retry()
    one.balancer.fails = true
    one.agent.retry()
    await until(() => expect([one.balancer.plans.length, one.balancer.fails]).toEqual([before + 1, false]))
  })

  it('a stop', async () => {
    const one = await start()
    one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    const stop = one.supervisor.stop.bind(one.supervisor)
    one.supervisor.stop = () => Promise.reject(new Error('it does not die'))
    one.agent.accept(aDesiredState({ position: 11 }))
    await until(() => expect(report(one).problems).toEqual(['stop x: it does not die']))
    expect(states(one)).toEqual({ x: 'draining' })
    one.supervisor.stop = stop
    one.agent.retry()
    await until(() => expect(report(one)).toMatchObject({ instances: [], problems: [] }))
  })

  it('writing a desired state to disk: the state is not obeyed before it is written', async () => {
    const one = await start()
    const { disk } = one
    const write = disk.writeDesired.bind(disk)
    disk.writeDesired = () => {
      throw new Error('ENOSPC: no space left on device')
    }
    one.agent.accept(aDesiredState(runs(await releases.publish('1'), 'x')))
    expect(report(one)).toMatchObject({
      seen: null,
      instances: [],
      problems: ['disk: ENOSPC: no space left on device'],
    })
    expect(one.obeyed).toEqual([])
    disk.writeDesired = write
    one.agent.retry()
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    expect(report(one).problems).toEqual([])
    expect(one.obeyed).toEqual([10])
  })
})

describe('a partly fetched release', () => {
  /**
   * Makes the first fetch fail with `error` once all objects have come, and the other fetches at once. Returns how much
   * the cache held at the start of each fetch.
   */
  function breakFetches(one: RunningAgent, error: Error): number[] {
    const fetch = releases.depot.fetch.bind(releases.depot)
    const usedAtTry: number[] = []
    releases.depot.fetch = async function* (keys) {
      const [kind] = keys[0]?.split('/') ?? []
      if (kind === 'manifest') usedAtTry.push(await one.cache.usedBytes())
      if (usedAtTry.length > 1) throw error
      yield* fetch(keys)
      if (kind === 'blob') throw error
    }
    return usedAtTry
  }

  it('is removed when the disk is full, before the next attempt', async () => {
    const one = await start()
    const { id } = await releases.publish('1')
    const usedAtTry = breakFetches(one, Object.assign(new Error('disk full'), { code: 'ENOSPC' }))
    one.agent.accept(aDesiredState({ fetch: [id] }))
    await until(() => expect(usedAtTry.slice(0, 2)).toEqual([0, 0]))
  })

  it('stays for the next attempt when the transfer broke off, and is removed when it is no longer wanted', async () => {
    const one = await start()
    const { id } = await releases.publish('1')
    const usedAtTry = breakFetches(one, new Error('the transfer broke off'))
    one.agent.accept(aDesiredState({ fetch: [id] }))
    await until(() => expect(usedAtTry).toHaveLength(2))
    expect(usedAtTry[1]).toBeGreaterThan(0)
    one.agent.accept(aDesiredState({ position: 11 }))
    await until(async () => expect(await one.cache.usedBytes()).toBe(0))
  })
})

describe('removing data', () => {
  const data = (): string => join(folder.path, 'machine/data/shop')

  it('waits until nothing uses the data, then reports', async () => {
    const one = await serving()
    const shop = await releases.publish('1')
    writeFileSync(join(data(), 'precious'), 'x')
    one.agent.accept(aDesiredState({ ...runs(shop, 'x'), removedData: ['shop'], position: 11 }))
    expect(existsSync(join(data(), 'precious'))).toBe(true)
    one.agent.accept(aDesiredState({ removedData: ['shop'], position: 12 }))
    await until(() => expect(states(one)).toEqual({}))
    one.agent.retry()
    await until(() => expect(report(one).removedData).toEqual(['shop']))
    expect(existsSync(data())).toBe(false)
    one.agent.accept(aDesiredState({ position: 13 }))
    await until(() => expect(report(one).removedData).toEqual([]))
  })

  it('leaves the folder of a service that is deployed again meanwhile', async () => {
    const one = await start()
    mkdirSync(data(), { recursive: true })
    for (let i = 0; i < 2_000; i++) writeFileSync(join(data(), `${i}`), '')
    one.agent.accept(aDesiredState({ removedData: ['shop'] }))
    one.agent.accept(aDesiredState({ ...runs(await releases.publish('1'), 'x'), position: 11 }))
    await until(() => expect(states(one)).toEqual({ x: 'ready' }))
    writeFileSync(join(data(), 'new'), 'kept')
    await until(() => expect(readdirSync(join(folder.path, 'machine/data'))).toEqual(['shop']))
    expect(readFileSync(join(data(), 'new'), 'utf8')).toBe('kept')
  })

  it('that an earlier agent left unfinished is a problem until it succeeds, and keeps nothing from starting', async () => {
    mkdirSync(join(folder.path, 'machine'), { recursive: true })
    const machineData = join(folder.path, 'machine/data')
    writeFileSync(machineData, 'not a folder')
    const one = await start()
    expect(report(one).problems).toEqual([expect.stringContaining('data: ')])
    one.agent.accept(aDesiredState({ position: 12 }))
    await until(() => expect(report(one).applied.balancer).toBe(12))
    rmSync(machineData)
    mkdirSync(join(machineData, '.removed-shop.1/deep'), { recursive: true })
    one.agent.retry()
    await until(() => expect(report(one).problems).toEqual([]))
    expect(readdirSync(machineData)).toEqual([])
  })

  it('removes read-only folders too; a failure is a problem until it succeeds', async () => {
    const one = await start()
    mkdirSync(join(data(), 'deep'), { recursive: true })
    writeFileSync(join(data(), 'deep/file'), '')
    chmodSync(join(data(), 'deep'), 0o500)
    const forget = one.supervisor.forget.bind(one.supervisor)
    one.supervisor.forget = () => Promise.reject(new Error('its logs are busy'))
    one.agent.accept(aDesiredState({ removedData: ['shop'] }))
    await until(() => expect(report(one).problems).toEqual(['data: its logs are busy']))
    expect(report(one).removedData).toEqual([])
    one.supervisor.forget = forget
    one.agent.retry()
    await until(() => expect(report(one)).toMatchObject({ problems: [], removedData: ['shop'] }))
    expect(existsSync(data())).toBe(false)
  })
})

describe('closing', () => {
  it('ends everything, also in the middle of starts and stops, and accepts no more states', async () => {
    const one = await start({ supervisor: createFakeSupervisor(systemClock) })
    const shop = await releases.publish('1')
    one.agent.accept(aDesiredState(runs(shop, 'x', 'y')))
    await until(() => expect(states(one)).toEqual({ x: 'ready', y: 'ready' }))
    one.agent.accept(aDesiredState({ ...runs(shop, 'y', 'z'), position: 11 }))
    await one.agent.close()
    one.agent.accept(aDesiredState({ ...runs(shop, 'w'), position: 12 }))
    one.agent.retry()
    await new Promise((resolve) => setTimeout(resolve, 30)) // nothing may start in this time
    expect(one.supervisor.running()).toEqual([])
    expect(report(one).problems).toEqual([])
  })
})
