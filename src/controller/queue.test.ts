import { beforeEach, expect, it, vi } from 'vitest'
import { VirtualClock } from '../lib/testing/virtualClock.ts'
import { randomRun } from '../lib/testing/randomRun.ts'
import { seededRandom } from '../lib/testing/seededRandom.ts'
import { MemoryEventLog, type Disk } from '../store/testing/memoryEventLog.ts'
import type { Controller, Request } from './controller.ts'
import { AgentLinks } from './agentLinks.ts'
import { aReport, controllerOn, deploy, obey, otherRelease, publishIn, release } from './testing/given.ts'

/*
 * The log of these tests lets other work run while it appends: two decisions that are not in one queue would be decided
 * against the same state.
 */
let disk: Disk
let log: MemoryEventLog
let clock: VirtualClock
let controller: Controller
let seq = 0
const nextSeq = (): number => ++seq

beforeEach(async () => {
  disk = { rows: [] }
  log = new MemoryEventLog(disk)
  clock = new VirtualClock()
  controller = await controllerOn(log, clock)
  await controller.lead()
  return () => controller.close()
})
async function twoMachines(): Promise<void> {
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: nextSeq() }))
  await publishIn(controller)
}
/** The state as the next controller folds it from the log. */
async function foldedAgain(): Promise<Controller['state']> {
  return (await controllerOn(new MemoryEventLog(disk), clock)).state
}
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error)

it('decides each of several requests at once against the state after the ones before it', async () => {
  await twoMachines()
  const settled = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => deploy(controller, `r${n}`)))
  expect(settled.map((one) => (one.status === 'fulfilled' ? 'started' : codeOf(one.reason)))).toEqual([
    'started',
    ...Array.from({ length: 7 }, () => 'E_ROLLOUT_IN_PROGRESS'),
  ])
  expect(await foldedAgain()).toEqual(controller.state)
})

it('makes a request in the turn that decides it', async () => {
  const seen: number[] = []
  const make = (id: string) => () => {
    seen.push(controller.state.position)
    return { type: 'RestartClock', reason: id } as const
  }
  const { position } = controller.state
  await Promise.all(['1', '2', '3'].map((id) => controller.execute(make(id))))
  expect(seen).toEqual([position, position + 1, position + 2])
})

it('lets nobody else decide while one works exclusively', async () => {
  const order: string[] = []
  const first = controller.exclusively(async (alone) => {
    await alone.execute({ type: 'RestartClock', reason: 'one' })
    await alone.execute({ type: 'RestartClock', reason: 'two' })
    order.push('exclusive')
  })
  const second = controller.execute({ type: 'RestartClock', reason: 'three' }).then(() => order.push('after'))
  const third = controller.report(aReport({ seq: nextSeq() })).then(() => order.push('report'))
  await Promise.all([first, second, third])
  expect(order).toEqual(['exclusive', 'after', 'report'])
  const reasons = (await log.read(0, 100)).flatMap(({ type, data }) => (type === 'ClockRestarted' ? [data.reason] : []))
  expect(reasons).toEqual(['one', 'two', 'three'])
})

it('folds events after they were appended, and changes nothing when they could not be', async () => {
  await twoMachines()
  const before = controller.state
  const told = vi.fn<() => void>()
  controller.onChange(told)
  const dry = controller.rehearse(() => ({ type: 'RestartClock', reason: 'x' }))
  await dry
  log.isFull = true
  const refused = [deploy(controller, 'r1'), publishIn(controller, otherRelease), deploy(controller, 'r2')]
  for (const { reason } of (await Promise.allSettled(refused)) as PromiseRejectedResult[]) {
    expect(codeOf(reason)).toBe('E_LOG_UNWRITABLE')
  }
  expect(controller.state).toBe(before)
  expect(told).not.toHaveBeenCalled()
  expect(controller.unwritable?.code).toBe('E_LOG_UNWRITABLE')
  log.isFull = false
  await deploy(controller, 'r3')
  expect(controller.unwritable).toBeNull()
  expect(controller.state.services['shop']?.rollout).toBe('r3')
  expect(await foldedAgain()).toEqual(controller.state)
})

it('decides by time again when the log can be written again', async () => {
  await controller.close()
  controller = await controllerOn(log, clock)
  await controller.lead()
  await controller.report(aReport({ seq: nextSeq() }))
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds * 10; passed++) {
      await clock.advance(100)
      await controller.rehearse(() => ({ type: 'StopMaintenance' })).catch(() => {}) // the queue is empty now
    }
  }
  log.isFull = true
  await pass(30)
  expect(controller.state.machines['a']?.lost).toBe(false)
  log.isFull = false
  await pass(3)
  expect(controller.state.machines['a']?.lost).toBe(true)
})

it('a dry run decides after the requests before it, and appends nothing, whatever happens beside it', async () => {
  await twoMachines()
  const start = (rollout: string) => (): Request => ({
    ...{ type: 'StartRollout', rollout, service: 'shop', kind: 'deploy', release },
    ...{ allowOutage: false, removeData: false },
  })
  const [would, started, wouldNot] = await Promise.allSettled([
    controller.rehearse(start('dry')),
    controller.execute(start('real')),
    controller.rehearse(start('late')),
  ])
  if (would.status !== 'fulfilled' || wouldNot.status !== 'rejected') throw new Error('decided in another order')
  expect(would.value[0]).toMatchObject({ type: 'RolloutStarted', data: { rollout: 'dry' } })
  expect(started.status).toBe('fulfilled')
  expect(codeOf(wouldNot.reason)).toBe('E_ROLLOUT_IN_PROGRESS')
  expect(disk.rows.filter((row) => row.includes('"dry"'))).toEqual([])
  expect(await foldedAgain()).toEqual(controller.state)
})

it('decides what waits when it is closed, and nothing afterwards', async () => {
  const waiting = publishIn(controller)
  const closed = controller.close()
  const late = publishIn(controller, otherRelease)
  await waiting
  await closed
  await expect(late).rejects.toThrow('closed')
  expect(Object.keys((await foldedAgain()).releases)).toEqual([release])
})

it('folds the state that the log gives, whatever arrives at the same time', async () => {
  const { seed, count } = randomRun('queue', { check: 20, soak: 2_000 })
  for (let run = 0; run < count; run++) {
    const random = seededRandom(seed + run)
    disk = { rows: [] }
    log = new MemoryEventLog(disk)
    const one = await controllerOn(log, clock)
    await one.lead()
    const pending: Promise<unknown>[] = []
    const wait = (work: Promise<unknown>): void => void pending.push(work.then(() => null, codeOf))
    for (let step = 0; step < 60; step++) {
      log.isFull = random() < 0.1
      const id = [release, otherRelease][Math.floor(random() * 2)] ?? release
      const machine = random() < 0.5 ? 'a' : 'b'
      const roll = random()
      if (roll < 0.5) wait(obey(one, [machine], nextSeq))
      else if (roll < 0.65) wait(publishIn(one, id))
      else if (roll < 0.8) wait(deploy(one, `r${step}`, id))
      else if (roll < 0.9) wait(one.execute({ type: 'CollectReleases', releases: [id] }))
      else wait(one.rehearse(() => ({ type: 'CollectReleases', releases: [id] })))
      if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve))
    }
    const known = [null, 'E_LOG_UNWRITABLE', 'E_ROLLOUT_IN_PROGRESS', 'E_RELEASE_GONE', 'E_NO_MACHINE_REACHABLE']
    const ends = await Promise.all(pending)
    expect(ends.filter((code) => !known.some((one) => one === code))).toEqual([])
    expect(one.state, `TANDEM_SEED=${seed + run} TANDEM_QUEUE=1`).toEqual(await foldedAgain())
    await one.close()
  }
})

it('sends a machine all leaderships until it has obeyed the current one, then only that', async () => {
  for (let term = 2; term <= 5; term++) {
    await controller.close()
    controller = await controllerOn(log, clock)
    await controller.lead()
  }
  const terms = (): number[] => controller.desired('a').terms.map(({ term }) => term)
  expect(terms()).toEqual([1, 2, 3, 4, 5])
  const { id } = controller.state.terms[3] ?? { id: '' }
  await controller.report(aReport({ seq: nextSeq(), seen: { term: 4, termId: id, position: 1 } }))
  expect(terms()).toEqual([1, 2, 3, 4, 5])
  await controller.report(aReport({ seq: nextSeq(), seen: { term: 5, termId: 'a fork', position: 1 } }))
  expect(terms()).toEqual([1, 2, 3, 4, 5])
  await obey(controller, ['a'], nextSeq)
  expect(terms()).toEqual([5])
  // The machine may have been put back to an earlier time since: a new connection begins with all.
  const texts: string[] = []
  new AgentLinks(controller).connect('a', {
    takesChanges: false,
    send: ({ data }) => void texts.push(JSON.stringify(data)),
    end: () => {},
  })
  await publishIn(controller)
  expect(texts.map((text) => text.match(/"start":/g)?.length)).toEqual([5, 1])
})
