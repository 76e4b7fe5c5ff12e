import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as othersRun } from 'node:timers/promises'
import type { Logger } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NewEvent } from '../../events/event.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { systemClock } from '../../lib/clock.ts'
import { openDatabase } from '../../store/database.ts'
import { Snapshots } from '../../store/snapshots.ts'
import { SqliteEventLog } from '../../store/sqliteEventLog.ts'
import { SqliteSnapshotStore } from '../../store/sqliteSnapshotStore.ts'
import type { Controller } from '../controller.ts'
import { Fold } from '../fold.ts'
import { aReport, controllerOn, deploy, makeFolder, obey, publishIn, quiet } from '../testing/given.ts'
import type { Rooms } from '../handlers.ts'
import { pastHandlers } from './handlers.ts'
import { Past } from './past.ts'
import { pastStatusView } from './pastStatusView.ts'
import { SnapshotFiller } from './snapshotFiller.ts'

const limits = { spacing: 10, count: 1_000, bytes: 1e9 }

let folder: ReturnType<typeof makeFolder>
let database: DatabaseSync
let controller: Controller
let unusable: number[]

beforeEach(async () => {
  folder = makeFolder('past')
  mkdirSync(folder.path, { recursive: true })
  database = openDatabase(join(folder.path, 'controller.db'))
  unusable = []
  // A worker takes time that a test's clock would not give it.
  controller = await controllerOn(new SqliteEventLog(database), systemClock)
  await controller.lead()
  let seq = 0
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: ++seq }))
  for (const service of ['shop', 'blog', 'wiki']) {
    const id = service.charCodeAt(0).toString(16).repeat(32)
    await publishIn(controller, id, aDefinition({ service, routes: [{ host: `${service}.example`, path: '/' }] }))
    await deploy(controller, `r-${service}`, id, service)
    for (let round = 0; round < 20; round++) {
      await obey(controller, ['a', 'b'], () => ++seq)
      await othersRun()
    }
  }
})
afterEach(async () => {
  await controller.close()
  folder.remove()
})

const snapshotsOf = (version: string, bounds = limits): Snapshots =>
  new Snapshots({
    ...{ store: new SqliteSnapshotStore(database), version, every: 10, limits: bounds },
    unusable: (position) => unusable.push(position),
  })
const pastOn = (snapshots: Snapshots | null): Past =>
  new Past({ log: controller.log, config: controller.config, snapshots, clock: systemClock })
const positions = (version: string): number[] =>
  database
    .prepare('SELECT position FROM snapshots WHERE version = ? ORDER BY position')
    .all(version)
    .map((row) => Number(row['position']))

const everyTen = (): number[] =>
  Array.from({ length: Math.floor(controller.state.position / 10) }, (_, index) => 10 * (index + 1))

describe('the snapshots that a log lacks', () => {
  it('are made by a thread, at the first event of each stretch, and give the state of that position', async () => {
    const snapshots = snapshotsOf('v1')
    const filler = new SnapshotFiller({ controller, snapshots, logger: quiet })
    const end = controller.state.position
    expect(end).toBeGreaterThan(40)
    filler.start()
    await filler.done()
    expect(positions('v1')).toEqual(everyTen())
    expect(await snapshots.missing(end)).toEqual([])
    const events = await controller.log.read(0, 1_000)
    for (const position of positions('v1')) {
      const fold = new Fold(controller.config)
      for (const event of events) if (event.position <= position) fold.fold(event)
      expect(await snapshots.newest(position, ({ text }) => text)).toBe(fold.snapshot())
    }
    expect(unusable).toEqual([])
  })

  it('are made from the nearest one before them on, and again after an upgrade that changes the fold', async () => {
    const old = snapshotsOf('v1')
    await old.keep({ position: 40, text: (await pastOn(null).state('40')).fold.snapshot() }, controller.state.position)
    for (const version of ['v1', 'v2']) {
      const filler = new SnapshotFiller({ controller, snapshots: snapshotsOf(version), logger: quiet })
      filler.start()
      await filler.done()
    }
    expect(positions('v2')).toEqual(everyTen())
    // Two of the version before, for a downgrade.
    expect(positions('v1')).toHaveLength(2)
  })

  it('are none where the log has no events, and no event is folded after the last one', async () => {
    const { log } = controller
    const end = controller.state.position
    const event: NewEvent = { type: 'ClockRestarted', data: { reason: 'x' } }
    await log.append(end, [event], 0, end + 1_000)
    await log.append(
      end + 1_000,
      Array.from({ length: 3_000 }, () => event),
      0,
    )
    const { clock, config } = controller
    const recovered = { log, clock, config, state: { position: end + 1_010 } } as unknown as Controller // all that it uses
    const snapshots = snapshotsOf('v1')
    const fill = async (): Promise<string[]> => {
      const made: string[] = []
      const logger = { info: () => made.push('made'), warn: () => made.push('failed') } as unknown as Logger
      const filler = new SnapshotFiller({ controller: recovered, snapshots, logger })
      filler.start()
      await filler.done()
      return made
    }
    const read = vi.spyOn(log, 'read')
    expect(await fill()).toEqual(['made'])
    expect(positions('v1').slice(-2)).toEqual([end + 1_000, 10 * Math.floor((end + 1_010) / 10)])
    expect(read.mock.calls.every(([after]) => after < end + 1_010)).toBe(true)
    // The next start finds nothing to do.
    expect(await fill()).toEqual([])
  })

  it('do not delay a controller that closes, and the next one makes the rest', async () => {
    const snapshots = snapshotsOf('v1', { ...limits, spacing: 1 })
    const filler = new SnapshotFiller({ controller, snapshots, logger: quiet })
    filler.start()
    await filler.close()
    const again = new SnapshotFiller({ controller, snapshots, logger: quiet })
    again.start()
    await again.done()
    expect(await snapshots.missing(controller.state.position)).toEqual([])
  })
})

describe('the past', () => {
  const shown = async (at: string): Promise<Record<string, string | null>> => {
    const { services } = pastStatusView(controller.config, await pastOn(null).state(at))
    return Object.fromEntries(services.map(({ service, rollout }) => [service, rollout?.state ?? null]))
  }

  it('is that of a position or of the last event up to a time', async () => {
    const events = await controller.log.read(0, 1_000)
    const started = events.find(({ type }) => type === 'RolloutStarted')
    const finished = events.find(({ type }) => type === 'RolloutFinished')
    const [first, last] = [started?.position ?? 0, finished?.position ?? 0]
    expect(await shown('0')).toEqual({})
    expect(await shown(String(first - 1))).toEqual({})
    expect(await shown(String(first))).toEqual({ shop: 'running' })
    expect(await shown(String(last))).toEqual({ shop: null })
    for (const { at } of events) {
      const { position } = await pastOn(null).state(at)
      expect(position).toBe(events.findLast((event) => event.at <= at)?.position)
    }
    expect((await pastOn(null).state('2000-01-01T00:00:00Z')).position).toBe(0)
    expect((await pastOn(null).state('2999-01-01T00:00:00+02:00')).position).toBe(events.at(-1)?.position)
  })

  it('has the version of the controller of that time, and nothing that the log does not hold', async () => {
    const { machines, controller: then } = pastStatusView(controller.config, await pastOn(null).state('30'))
    expect(then).toEqual({ version: '0', term: 1, position: 30, problems: null })
    expect(machines[0]).toMatchObject({ name: 'a', lastSeen: null, version: null, limits: null, problems: null })
    expect(pastStatusView(controller.config, await pastOn(null).state('0')).controller.version).toBeNull()
  })

  it('is computed for 20 positions at a time, once for each, and for nobody who is gone', async () => {
    const { log } = controller
    const past = pastOn(null)
    const gone = new Set<number>()
    const ask = (position: number) => past.state(String(position), () => gone.has(position))
    // All of them find the end of the log before the first one folds.
    const first = Promise.allSettled(Array.from({ length: 21 }, (_, index) => ask(index + 1)))
    const again = ask(1)
    for (const position of [2, 3, 4]) gone.add(position)
    const settled = await first
    expect(await again).toBe(settled[0]?.status === 'fulfilled' && settled[0].value)
    const refused = settled.flatMap((one, index) => (one.status === 'rejected' ? [index + 1] : []))
    expect(refused).toEqual([2, 3, 4, 21])
    expect(settled[20]).toMatchObject({ reason: { code: 'E_PAST_BUSY' } })
    expect((await ask(21)).position).toBe(21)
    // Who asks again is not refused because another one has gone.
    const read = vi.spyOn(log, 'read')
    await expect(ask(2)).rejects.toMatchObject({ code: 'E_PAST_BUSY' })
    expect(read).not.toHaveBeenCalled()
    gone.delete(2)
    expect((await ask(2)).position).toBe(2)
  })

  it('refuses a position that the log does not have, and a time that is none', async () => {
    await expect(pastOn(null).state('1000000')).rejects.toMatchObject({ code: 'E_BEYOND_LOG' })
    await expect(pastOn(null).state('2026-13-01T00:00')).rejects.toMatchObject({ code: 'E_USAGE' })
  })

  it('has the problems and the changes of that time, without next steps', async () => {
    const lost = { type: 'MachineLost', data: { machine: 'b', silentMs: 10_000 } } as const
    const { position } = controller.state
    await controller.log.append(position, [lost, { type: 'ClockRestarted', data: { reason: 'x' } }], Date.now())
    const { pastOverview } = pastHandlers({ controller, past: pastOn(null) } as unknown as Rooms) // only these are used
    const { wrong, changes } = await pastOverview(
      { query: { at: String(position + 1) } } as never,
      {} as never,
      () => false,
    )
    expect(wrong.find(({ machine }) => machine === 'b')).toMatchObject({ word: 'lost', next: [], since: null })
    expect(changes[0]).toMatchObject({ position: position + 1, type: 'MachineLost', subject: 'machine b' })
    const before = await pastOverview({ query: { at: String(position) } } as never, {} as never, () => false)
    expect(before.wrong).toEqual([])
    expect(before.changes[0]).toMatchObject({ type: 'RolloutFinished', subject: 'wiki' })
    expect(before.changes.length).toBeGreaterThan(5)
  })

  it('passes over a damaged snapshot', async () => {
    const snapshots = snapshotsOf('v1')
    const filler = new SnapshotFiller({ controller, snapshots, logger: quiet })
    filler.start()
    await filler.done()
    database.exec('UPDATE snapshots SET content = zeroblob(100) WHERE position = 40')
    const { fold } = await pastOn(snapshots).state('45')
    expect(fold.snapshot()).toBe((await pastOn(null).state('45')).fold.snapshot())
    expect(unusable).toEqual([40])
  })
})
