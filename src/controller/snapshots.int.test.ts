import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate as othersRun } from 'node:timers/promises'
import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { aDefinition } from '../definitions/testing/aDefinition.ts'
import { openDatabase } from '../store/database.ts'
import { Snapshots } from '../store/snapshots.ts'
import { SqliteEventLog } from '../store/sqliteEventLog.ts'
import { SqliteSnapshotStore } from '../store/sqliteSnapshotStore.ts'
import type { Controller } from './controller.ts'
import { Fold } from './fold.ts'
import { foldLog } from './foldLog.ts'
import { SnapshotTaker } from './snapshotTaker.ts'
import { aReport, controllerOn, deploy, makeFolder, obey, publishIn, quiet } from './testing/given.ts'

const every = 20
const config = { cluster: 'test', laptop: false }

let folder: ReturnType<typeof makeFolder>
let database: DatabaseSync
let unusable: unknown[]
let seq = 0
const nextSeq = (): number => ++seq

beforeEach(() => {
  folder = makeFolder('snapshots')
  unusable = []
  open()
})
afterEach(() => {
  if (database.isOpen) database.close()
  folder.remove()
})
function open(): void {
  database = openDatabase(join(folder.path, 'controller.db'))
}
const snapshotsOf = (version = 'v1'): Snapshots =>
  new Snapshots({
    ...{ store: new SqliteSnapshotStore(database), version, every },
    unusable: (position, error) => unusable.push([position, error]),
  })

/** A controller that takes snapshots. */
async function taking(): Promise<{ controller: Controller; taker: SnapshotTaker }> {
  const controller = await controllerOn(new SqliteEventLog(database), undefined, snapshotsOf())
  const taker = new SnapshotTaker({ controller, snapshots: snapshotsOf(), logger: quiet, last: 0 })
  await controller.lead()
  return { controller, taker }
}
async function rolledOut(controller: Controller): Promise<void> {
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: nextSeq() }))
  await publishIn(controller)
  for (const rollout of ['r1', 'r2', 'r3']) {
    const kind = rollout === 'r1' ? 'deploy' : 'restart'
    if (kind === 'deploy') await deploy(controller, rollout)
    else {
      const again = { type: 'StartRollout', rollout, service: 'shop', kind, release: null } as const
      await controller.execute({ ...again, allowOutage: false, removeData: false })
    }
    for (let round = 0; round < 20; round++) {
      await obey(controller, ['a', 'b'], nextSeq)
      await othersRun()
    }
  }
}
const positions = (): number[] =>
  database
    .prepare('SELECT position FROM snapshots ORDER BY position')
    .all()
    .map((row) => Number(row['position']))

/** Folds the log twice, with and without snapshots, and returns the position of the snapshot. */
async function foldsAlike(version?: string): Promise<number> {
  const log = new SqliteEventLog(database)
  const { fold, since } = await foldLog(log, config, snapshotsOf(version))
  const whole = new Fold(config)
  for (const event of await log.read(0, 1_000_000)) whole.fold(event)
  expect(fold.state).toEqual(whole.state)
  expect(fold.snapshot()).toBe(whole.snapshot())
  return since
}

it('are taken while events come, and with the rest of the log give the fold of the whole log', async () => {
  const { controller, taker } = await taking()
  await rolledOut(controller)
  await taker.close()
  expect(controller.state.position).toBeGreaterThan(3 * every)
  expect(positions().length).toBeGreaterThan(1)
  const since = await foldsAlike()
  expect(controller.state.position - since).toBeLessThan(2 * every)
  const said: string[] = []
  await foldLog(new SqliteEventLog(database), config, null, (done) => said.push(done))
  expect(said.at(-1)).toBe(`has read its log up to position ${controller.state.position}`)
  expect(unusable).toEqual([])
})

it('of another version, or damaged, or of a position that the log lacks, are ignored and made again', async () => {
  const { controller, taker } = await taking()
  await rolledOut(controller)
  await taker.close()
  expect(await foldsAlike('v2')).toBe(0)
  database.exec('UPDATE snapshots SET content = zeroblob(100)')
  expect(await foldsAlike()).toBe(0)
  expect(unusable).toHaveLength(positions().length)
  database.exec('UPDATE snapshots SET position = position + 1000000')
  expect(await foldsAlike()).toBe(0)
  const again = await taking()
  await again.taker.close()
  expect(await foldsAlike()).toBe(again.controller.state.position)
})

it('leave the schema as an older version of Tandem accepts it', async () => {
  const version = (): unknown => database.prepare('PRAGMA user_version').get()
  const before = version()
  const { controller, taker } = await taking()
  await rolledOut(controller)
  await taker.close()
  expect(version()).toEqual(before)
})

it('that do not fit on the disk change nothing: events are appended, and the next one is tried when it is due', async () => {
  const { controller, taker } = await taking()
  const noise = Array.from({ length: 30_000 }, () => Math.random().toString(36).slice(2, 12)).join('')
  await publishIn(controller, 'f'.repeat(64), { ...aDefinition(), env: { NOISE: noise } })
  const tick = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await controller.execute({ type: 'RestartClock', reason: 'x' })
    await taker.idle()
  }
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  database.exec(`PRAGMA max_page_count=${pages + 5}`)
  await tick(2 * every)
  expect(controller.unwritable).toBeNull()
  expect(await foldsAlike()).toBe(0)
  database.exec('PRAGMA max_page_count=1000000')
  await tick(every)
  expect(positions()).toHaveLength(1)
  expect(await foldsAlike()).toBeGreaterThan(0)
  await taker.close()
})

it('are whole or absent when the process is killed at a random moment', async () => {
  database.close()
  const program = `
    import { openDatabase } from '${import.meta.dirname}/../store/database.ts'
    import { SqliteEventLog } from '${import.meta.dirname}/../store/sqliteEventLog.ts'
    import { SqliteSnapshotStore } from '${import.meta.dirname}/../store/sqliteSnapshotStore.ts'
    import { Snapshots } from '${import.meta.dirname}/../store/snapshots.ts'
    import { SnapshotTaker } from '${import.meta.dirname}/snapshotTaker.ts'
    import { controllerOn, quiet } from '${import.meta.dirname}/testing/given.ts'
    const database = openDatabase(process.argv[1])
    const store = new SqliteSnapshotStore(database)
    const snapshots = new Snapshots({ store, version: 'v1', every: 3, unusable: (at, error) => { throw error } })
    const controller = await controllerOn(new SqliteEventLog(database), undefined, snapshots)
    new SnapshotTaker({ controller, snapshots, logger: quiet, last: 0 })
    for (;;) {
      await controller.execute({ type: 'RestartClock', reason: 'x'.repeat(Math.random() * 2000) })
      process.stdout.write(controller.state.position + '\\n')
      await new Promise((resolve) => setImmediate(resolve))
    }`
  let acknowledged = 0
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [
      ...['--input-type=module', '-e', program, join(folder.path, 'controller.db')],
    ])
    const wanted = acknowledged + 20 + Math.floor(Math.random() * 150)
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged >= wanted) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    open()
    const since = await foldsAlike()
    expect(since).toBeGreaterThan(0)
    expect(await new SqliteEventLog(database).position()).toBeGreaterThanOrEqual(acknowledged)
    expect(unusable).toEqual([])
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
  }
})

it('do not hide an event that only a newer version knows: the log is refused', async () => {
  const log = new SqliteEventLog(database)
  const position = await log.position()
  database.exec(`INSERT INTO events VALUES (${position + 1}, '', 'FutureThing', 1, '{}')`)
  await expect(foldLog(log, config, snapshotsOf())).rejects.toMatchObject({
    code: 'E_LOG_NEWER',
    message: `the event log contains FutureThing at position ${position + 1}, which this version of Tandem does not know`,
  })
})
