import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Controller } from './controller.ts'
import { statusView } from './statusView.ts'
import { AgentLinks, type AgentMessage, type Link } from './agentLinks.ts'
import { openDatabase } from '../store/database.ts'
import { SqliteEventLog } from '../store/sqliteEventLog.ts'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import type { Event } from '../events/event.ts'
import { VirtualClock } from '../lib/testing/virtualClock.ts'
import { aReport, deploy, makeFolder, obey, openController, otherRelease, publishIn, release } from './testing/given.ts'

let folder: ReturnType<typeof makeFolder>
let clock: VirtualClock
let opened: Awaited<ReturnType<typeof openController>>
let controller: Controller
let seq = 0
const nextSeq = (): number => ++seq

beforeEach(async () => {
  folder = makeFolder('controller')
  clock = new VirtualClock()
  await open()
})
afterEach(async () => {
  await controller.close()
  folder.remove()
})
async function open(): Promise<void> {
  opened = await openController(folder.path, clock)
  controller = opened.controller
  await controller.lead()
}
async function rolledOut(): Promise<void> {
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: nextSeq() }))
  await publishIn(controller)
  await deploy(controller, 'r1')
  for (let round = 0; round < 20; round++) await obey(controller, ['a', 'b'], nextSeq)
  expect(controller.state.rollouts['r1']?.outcome).toBe('completed')
}

describe('the decider', () => {
  it('throws the refusal, with its code, and changes nothing', async () => {
    const { position } = controller.state
    await expect(deploy(controller, 'r1')).rejects.toMatchObject({ code: 'E_RELEASE_GONE' })
    expect(controller.state.position).toBe(position)
    expect(await controller.log.position()).toBe(position)
  })

  it('folds the same state from the log after a restart, except for its leadership', async () => {
    await rolledOut()
    await publishIn(controller, otherRelease)
    await deploy(controller, 'r2', otherRelease)
    await obey(controller, ['a', 'b'], nextSeq)
    const before = controller.state
    const history = controller.history.all()
    await controller.close()
    await open()
    const { terms, position, clockSince, clockPosition, ...same } = controller.state
    expect(same).toEqual(
      expect.objectContaining({ machines: before.machines, instances: before.instances, turns: before.turns }),
    )
    expect({ ...before, terms, position, clockSince, clockPosition }).toEqual(controller.state)
    expect(terms.map(({ term }) => term)).toEqual([1, 2])
    expect(controller.history.all()).toEqual(history)
  })

  it('continues a rollout after a restart at any of its moments', async () => {
    await rolledOut()
    await publishIn(controller, otherRelease)
    await deploy(controller, 'r2', otherRelease)
    for (let round = 0; round < 40 && !controller.state.rollouts['r2']?.outcome; round++) {
      await controller.close()
      await open()
      await obey(controller, ['a', 'b'], nextSeq)
    }
    expect(controller.state.rollouts['r2']?.outcome).toBe('completed')
    const status = statusView(controller)
    expect(status.services[0]?.instances.map((one) => [one.machine, one.release])).toEqual([
      ['a', otherRelease],
      ['b', otherRelease],
    ])
  })

  it('ignores old, repeated and reordered reports', async () => {
    await rolledOut()
    await publishIn(controller, otherRelease)
    await deploy(controller, 'r2', otherRelease)
    const { position } = controller.state
    const observed = controller.observed
    await controller.report(aReport({ seq: 1 }))
    await controller.report(aReport({ boot: 0, seq: 999_999 }))
    const last = observed['a']?.report
    if (last) await controller.report(last)
    expect(controller.state.position).toBe(position)
    expect(controller.observed).toBe(observed)
  })

  it('keeps the sequence marks of reports over a restart', async () => {
    await rolledOut()
    const stale = aReport({ seq: 2, applied: { supervisor: 99, balancer: 99, address: 99 } })
    await controller.close()
    await open()
    await controller.report(stale)
    expect(controller.observed).toEqual({})
  })
})

describe('waiting for a position', () => {
  it('ends at once when the position is already reached, or when it becomes reached', async () => {
    await controller.reached(controller.state.position)
    const wait = controller.reached(controller.state.position + 1)
    await publishIn(controller)
    await expect(wait).resolves.toBeUndefined()
  })
  it('reports a position beyond the end of the log, and claims no write', async () => {
    const reached = controller.reached(999, 10)
    void clock.advance(10)
    await expect(reached).rejects.toMatchObject({ code: 'E_BEYOND_LOG', httpStatus: 409 })
  })
})

describe('an event log that cannot be written', () => {
  it('on a full disk makes the controller refuse and report why, and continue when there is room', async () => {
    await controller.report(aReport({ seq: nextSeq() }))
    const { database } = opened
    const pages = database.prepare('PRAGMA page_count').get()?.['page_count']
    database.exec(`PRAGMA max_page_count=${String(pages)}`)
    const { position } = controller.state
    const big = 'x'.repeat(100_000)
    const fill = (): Promise<void> => publishIn(controller, release, { ...aDefinition(), env: { BIG: big } })
    await expect(fill()).rejects.toMatchObject({
      code: 'E_LOG_UNWRITABLE',
      message: expect.stringContaining('full') as string,
    })
    expect(controller.unwritable?.httpStatus).toBe(503)
    expect(controller.state.position).toBe(position)
    expect(await controller.log.position()).toBe(position)
    database.exec('PRAGMA max_page_count=1000000')
    await fill()
    expect(controller.unwritable).toBeNull()
    expect(controller.state.releases[release]).toBeDefined()
  })

  it('on a read-only disk has the same effect', async () => {
    opened.database.exec('PRAGMA query_only=1')
    await expect(publishIn(controller)).rejects.toMatchObject({ code: 'E_LOG_UNWRITABLE' })
    opened.database.exec('PRAGMA query_only=0')
    await publishIn(controller)
  })
})

describe('the streams to agents', () => {
  const link = (takesChanges = false): Link & { texts: string[]; ended: boolean } => {
    const one = {
      takesChanges,
      texts: [] as string[],
      ended: false,
      send: ({ data }: AgentMessage) => void one.texts.push(JSON.stringify(data)),
      end: () => void (one.ended = true),
    }
    return one
  }
  const positions = ({ texts }: ReturnType<typeof link>): number[] =>
    texts.map((text) => (JSON.parse(text) as { position: number }).position)

  it('carry the whole desired state at once and at every change, to each machine its own', async () => {
    await rolledOut()
    const links = new AgentLinks(controller)
    const [a, b] = [link(), link()]
    links.connect('a', a)
    links.connect('b', b)
    const at = controller.state.position
    expect([positions(a), positions(b)]).toEqual([[at], [at]])
    await publishIn(controller, otherRelease)
    expect(positions(a)).toEqual([at, at + 1])
    expect(a.texts[0]).toContain('"machine":"a"')
    expect(b.texts[0]).toContain('"machine":"b"')
    await obey(controller, ['a'], nextSeq)
    expect(positions(b)).toEqual([at, at + 1])
  })

  it('are one for each machine: a newer connection replaces the older one', async () => {
    const links = new AgentLinks(controller)
    const [older, newer] = [link(), link()]
    const left = links.connect('a', older)
    links.connect('a', newer)
    expect(older.ended).toBe(true)
    left()
    expect(links.connected()).toEqual(['a'])
    await publishIn(controller)
    expect([older.texts.length, newer.texts.length]).toEqual([1, 2])
    expect(links.ask('a', { kind: 'cancel', id: 'q' })).toBe(true)
    expect(links.ask('b', { kind: 'cancel', id: 'q' })).toBe(false)
    links.closeAll()
    expect([newer.ended, links.connected()]).toEqual([true, []])
  })
})

it('decides about an upgrade by time only after the clock was checked, not at a report after the clock jumped', async () => {
  await controller.close()
  await open()
  await controller.report(aReport({ seq: nextSeq() }))
  const parts = [{ part: 'a', release: null, version: '0' }]
  const turn = { part: 'a', direction: 'forward', release, boot: 1, ready: [] as string[] } as const
  const begun: Event[] = [
    { type: 'UpgradeStarted', data: { upgrade: 'u', version: '0.1.0', release, parts } },
    { type: 'UpgradeTurnStarted', data: { upgrade: 'u', ...turn } },
  ]
  const { position } = controller.state
  await controller.close()
  const log = new SqliteEventLog(openDatabase(join(folder.path, 'controller.db')))
  await log.append(position, begun, clock.now())
  await log.close()
  await open()
  await controller.report(aReport({ seq: nextSeq() }))
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed++) {
      await clock.advance(1_000)
      await controller.report(aReport({ seq: nextSeq() }))
    }
  }
  const hasFailed = (): boolean => controller.state.upgrade?.parts[0]?.state === 'failed'
  clock.jump(600_000)
  await controller.report(aReport({ seq: nextSeq() }))
  expect(hasFailed()).toBe(false)
  await pass(110)
  expect(hasFailed()).toBe(false)
  await pass(20)
  expect(hasFailed()).toBe(true)
})

it('decides by time alone when no machine reports', async () => {
  await controller.close()
  await open()
  await controller.report(aReport({ seq: nextSeq() }))
  await clock.advance(25_000)
  expect(controller.state.machines['a']?.lost).toBe(true)
  expect(statusView(controller).machines).toMatchObject([{ state: 'lost', traffic: 'ready' }])
  const { position } = controller.state
  await clock.advance(60_000)
  expect(controller.state.position).toBe(position)
})
