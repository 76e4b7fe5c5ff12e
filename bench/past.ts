import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { operations } from '../src/api/contract.ts'
import { Controller } from '../src/controller/controller.ts'
import { findEvents } from '../src/controller/findEvents.ts'
import { foldLog } from '../src/controller/foldLog.ts'
import { foldVersion } from '../src/controller/foldVersion.ts'
import { Past } from '../src/controller/past/past.ts'
import { pastStatusView } from '../src/controller/past/pastStatusView.ts'
import { SnapshotFiller } from '../src/controller/past/snapshotFiller.ts'
import { snapshotEvery } from '../src/controller/snapshotTaker.ts'
import { quiet } from '../src/controller/testing/given.ts'
import { systemClock } from '../src/lib/clock.ts'
import { randomId } from '../src/lib/ids.ts'
import { seededRandom } from '../src/lib/testing/seededRandom.ts'
import { openDatabase } from '../src/store/database.ts'
import { Snapshots } from '../src/store/snapshots.ts'
import { SqliteEventLog } from '../src/store/sqliteEventLog.ts'
import { SqliteSnapshotStore } from '../src/store/sqliteSnapshotStore.ts'
import { writeLongHistory } from './longHistory.ts'
import { median } from './median.ts'

/*
 * The past of a long event log: how long a thread takes to make its snapshots after an upgrade, and what decisions wait
 * meanwhile; then the time of a status at random positions, and of searches for events. `EVENTS=1000000`, ROUNDS.
 */

const count = Number(process.env['EVENTS'] ?? 1_000_000)
const rounds = Number(process.env['ROUNDS'] ?? 50)
const random = seededRandom(Number(process.env['SEED'] ?? 1))

const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-past-'))
const path = join(folder, 'controller.db')
const show = (what: string, ...values: (string | number)[]): void =>
  console.log(`${what.padEnd(54)}${values.map((value) => String(value).padStart(12)).join('')}`)
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`
const size = (): number => statSync(path).size
const ms = (value: number): string => `${value.toFixed(1)} ms`

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

try {
  const written = await writeLongHistory(path, count)
  show('events, size of the database', written, megabytes(size()))
  const database = openDatabase(path)
  const log = new SqliteEventLog(database)
  const config = { cluster: 'local', laptop: true }
  const unusable = (position: number, error: unknown): void => console.error(position, error)
  const store = new SqliteSnapshotStore(database)
  const snapshots = new Snapshots({ store, version: foldVersion, every: snapshotEvery, unusable })
  const { fold } = await foldLog(log, config)
  const newId = (): string => randomId()
  const controller = new Controller({
    ...{ config, log, fold, clock: systemClock, logger: quiet },
    version: '0',
    newId,
  })
  await makeSnapshots(controller, snapshots)
  const kept = await store.list()
  show(
    'snapshots, their size, size of the database',
    kept.length,
    megabytes(kept.reduce((sum, { bytes }) => sum + bytes, 0)),
    megabytes(size()),
  )
  await readPast(new Past({ log, config, snapshots, clock: systemClock }), written)
  await search(controller)
  await controller.close()
} finally {
  rmSync(folder, { recursive: true })
}

async function makeSnapshots(controller: Controller, snapshots: Snapshots): Promise<void> {
  const decide = (): Promise<unknown> => controller.execute({ type: 'RestartClock', reason: 'bench' })
  const usual: number[] = []
  for (let index = 0; index < 100; index++) usual.push(await timed(decide))
  const filler = new SnapshotFiller({ controller, snapshots, logger: quiet })
  const waits: number[] = []
  const made = { all: false }
  const took = await timed(async () => {
    filler.start()
    void filler.done().then(() => (made.all = true))
    while (!made.all) {
      waits.push(await timed(decide))
      await pause(20)
    }
  })
  show('snapshots made by the thread in', `${(took / 1_000).toFixed(1)} s`)
  show('a decision before: median, longest', ms(median(usual)), ms(Math.max(...usual)))
  show('a decision meanwhile: median, longest', ms(median(waits)), ms(Math.max(...waits)))
}

async function readPast(past: Past, end: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const times: number[] = []
  const busy = process.cpuUsage()
  for (let round = 0; round < rounds; round++) {
    const position = 1 + Math.floor(random() * end)
    times.push(
      await timed(async () => void pastStatusView({ cluster: '', laptop: true }, await past.state(String(position)))),
    )
  }
  const { user, system } = process.cpuUsage(busy)
  delay.disable()
  show('status at a random position: median, longest', ms(median(times)), ms(Math.max(...times)))
  show('CPU time of one, on average', ms((user + system) / 1_000 / rounds))
  show('longest stop of the event loop meanwhile', ms(delay.max / 1e6))
  const at = new Date(Date.now() - 100 * 86_400_000).toISOString()
  show('status at a time', ms(await timed(() => past.state(at))))
}

async function search(controller: Controller): Promise<void> {
  const middle = Math.floor(controller.state.position / 2)
  const queries: [string, object][] = [
    ['newest page', {}],
    ['page in the middle', { before: middle }],
    ['page of a service in the middle', { before: middle, service: 'old3' }],
    ['page of a machine and a type in the middle', { before: middle, machine: 'a', type: 'TurnStarted' }],
    ['page of changes in the middle', { before: middle, changes: 'true' }],
    ['page of changes of a service in the middle', { before: middle, changes: 'true', service: 'old3' }],
    ['page of what followed from an event', { cause: middle }],
    ['page of all that followed from an event', { follows: middle }],
    ['page of a caller, of whom there is nothing', { by: 'nobody' }],
    ['page of a service, of which there is nothing', { service: 'nothing' }],
  ]
  for (const [name, given] of queries) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let calls = 0
    let before: number | null = null
    const times: number[] = []
    do {
      const query = operations.findEvents.query.parse({ ...given, ...(before === null ? {} : { before }) })
      const page: { value: Awaited<ReturnType<typeof findEvents>> | null } = { value: null }
      times.push(await timed(async () => void (page.value = await findEvents(controller, query))))
      calls++
      before = page.value?.events.length === 0 ? (page.value.next ?? null) : null
    } while (before !== null)
    delay.disable()
    const all = times.reduce((sum, one) => sum + one, 0)
    show(`${name}: whole, calls, longest stop`, ms(all), calls, ms(delay.max / 1e6))
  }
}
