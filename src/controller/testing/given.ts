import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { pino, type Logger } from 'pino'
import type { Clock } from '../../lib/clock.ts'
import { aDefinition } from '../../definitions/testing/aDefinition.ts'
import { TestClock } from '../../lib/testing/testClock.ts'
import { openDatabase } from '../../store/database.ts'
import type { EventLog } from '../../store/eventLog.ts'
import { SqliteEventLog } from '../../store/sqliteEventLog.ts'
import type { Snapshots } from '../../store/snapshots.ts'
import { Controller } from '../controller.ts'
import { foldLog } from '../foldLog.ts'

/** Shared starting points for the tests of this folder. */
export const quiet: Logger = pino({ level: 'silent' })
export const release = 'a'.repeat(64)
export const otherRelease = 'b'.repeat(64)

import { aReport } from '../../protocol/testing/aReport.ts'

export { aReport }

export function makeFolder(name: string): { path: string; remove: () => void } {
  const parent = join(import.meta.dirname, '../../../tmp')
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, `${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** A controller on a real log whose clock the test moves. It does not lead yet. */
export async function openController(
  folder: string,
  clock: Clock = new TestClock(),
): Promise<{ controller: Controller; database: DatabaseSync }> {
  const database = openDatabase(join(folder, 'controller.db'))
  return { controller: await controllerOn(new SqliteEventLog(database), clock), database }
}

export async function controllerOn(
  log: EventLog,
  clock: Clock = new TestClock(),
  snapshots: Snapshots | null = null,
): Promise<Controller> {
  const config = { cluster: 'test', laptop: false }
  const { fold } = await foldLog(log, config, snapshots)
  let ids = 0
  return new Controller({ ...{ config, log, fold, clock, logger: quiet }, version: '0', newId: () => `id${++ids}` })
}

/** Reports for each of `machines` that everything in its desired state is done. */
export async function obey(controller: Controller, machines: readonly string[], seq: () => number): Promise<void> {
  for (const machine of machines) {
    const desired = controller.desired(machine)
    const { position } = desired
    await controller.report(
      aReport({
        ...{ machine, seq: seq(), fetched: desired.fetch },
        seen: { term: desired.term, termId: desired.terms.at(-1)?.id ?? '', position },
        applied: { supervisor: position, balancer: position, address: position },
        prepared: desired.prepare.map(({ rollout }) => ({ rollout, ok: true, reason: '' })),
        instances: desired.instances.map(({ id, service, release: of }) => ({
          ...{ id, service, release: of, state: 'ready', reason: null, port: 20_000, pid: 7, since: '', restarts: 0 },
          ...{ unstable: false, work: 0, long: 0 },
        })),
      }),
    )
  }
}

export async function publishIn(controller: Controller, id = release, definition = aDefinition()): Promise<void> {
  const { service } = definition
  await controller.execute({ type: 'PublishRelease', service, release: id, definition, bytes: 10 })
}

export async function deploy(controller: Controller, rollout: string, id = release, service = 'shop'): Promise<void> {
  const what = { type: 'StartRollout', rollout, service, kind: 'deploy', release: id } as const
  await controller.execute({ ...what, allowOutage: false, removeData: false })
}
