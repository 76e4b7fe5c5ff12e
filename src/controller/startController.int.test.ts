import { afterEach, beforeEach, expect, it } from 'vitest'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Event } from '../events/event.ts'
import { DirectoryStore } from '../releases/directoryStore.ts'
import { openDatabase } from '../store/database.ts'
import { SqliteEventLog } from '../store/sqliteEventLog.ts'
import { SqliteSnapshotStore } from '../store/sqliteSnapshotStore.ts'
import { foldVersion } from './foldVersion.ts'
import { startController } from './startController.ts'
import { aReport, deploy, makeFolder, obey, openController, publishIn, quiet } from './testing/given.ts'
import { runController } from './testing/runningController.ts'

let folder: ReturnType<typeof makeFolder>
beforeEach(() => {
  folder = makeFolder('start')
})
afterEach(() => folder.remove())

it('keeps a second controller out of its data folder, and releases the folder when it closes', async () => {
  const first = await runController(folder.path)
  await expect(runController(folder.path)).rejects.toMatchObject({ code: 'E_LOG_LOCKED' })
  expect((await first.client.call('status', {})).controller.term).toBe(1)
  await first.close()
  const second = await runController(folder.path)
  expect((await second.client.call('status', {})).controller.term).toBe(2)
  await second.close()
})

it('names the port that is taken, and leaves nothing open', async () => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo // the server listens on TCP
  const store = await DirectoryStore.open(join(folder.path, 'releases'))
  const starting = startController({
    ...{ config: { cluster: 'test', laptop: false }, data: folder.path, host: '127.0.0.1', port, version: '0' },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    ...{ logger: quiet, store, storeCapBytes: null, admit: [] },
  })
  await expect(starting).rejects.toMatchObject({ code: 'E_PORT_TAKEN', subject: `127.0.0.1:${port}` })
  other.close()
  await (await runController(folder.path)).close()
})

it('starts on a log of 50,000 events, and answers with the newest rollout, with a snapshot too', async () => {
  // One real rollout, repeated with other ids: the log of a busy year.
  const { controller } = await openController(folder.path)
  await controller.lead()
  let seq = 0
  for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: ++seq }))
  await publishIn(controller)
  const before = controller.state.position
  for (const id of ['r0', 'r1']) {
    if (id === 'r0') await deploy(controller, id)
    else {
      const again = { type: 'StartRollout', rollout: id, service: 'shop', kind: 'restart', release: null } as const
      await controller.execute({ ...again, allowOutage: false, removeData: false })
    }
    for (let round = 0; round < 20; round++) await obey(controller, ['a', 'b'], () => ++seq)
  }
  expect(controller.state.rollouts['r1']?.outcome).toBe('completed')
  const all = await controller.log.read(before, 10_000)
  const second = all.slice(all.findIndex(({ type, data }) => type === 'RolloutStarted' && data.rollout === 'r1'))
  await controller.close()

  const database = openDatabase(join(folder.path, 'controller.db'))
  const log = new SqliteEventLog(database)
  let rollouts = 1
  for (let position = await log.position(); position < 50_000; position += second.length) {
    const [from, to] = [`r${rollouts}`, `r${++rollouts}`]
    const text = JSON.stringify(second.map(({ type, data }) => ({ type, data })))
    const renamed = text.replaceAll(/\br([01])\b/g, (_, digit: string) => (digit === '1' ? to : from))
    await log.append(position, JSON.parse(renamed) as Event[], 1_700_000_000_000 + rollouts) // made of real events
  }
  await log.close()

  // The first start leaves a snapshot.
  for (const start of ['first', 'second']) {
    const asked = performance.now()
    const running = await runController(folder.path)
    const tookMs = performance.now() - asked
    const status = await running.client.call('status', {})
    const { rollouts: last } = await running.client.call('rollouts', { query: { limit: 1 } })
    await running.close()
    const { position } = status.controller
    console.log(`${start} start on ${position} events, ${rollouts} rollouts, in ${Math.round(tookMs)} ms`)
    expect(position).toBeGreaterThan(50_000)
    expect(last[0]).toMatchObject({ id: `r${rollouts}`, state: 'completed' })
    const kept = openDatabase(join(folder.path, 'controller.db'))
    expect((await new SqliteSnapshotStore(kept).list())[0]).toMatchObject({ version: foldVersion })
    kept.close()
  }
})
