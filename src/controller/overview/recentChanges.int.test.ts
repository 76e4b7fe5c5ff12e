import { afterEach, beforeEach, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { SqliteEventLog } from '../../store/sqliteEventLog.ts'
import { aReport, controllerOn, makeFolder } from '../testing/given.ts'
import { RecentChanges } from './recentChanges.ts'

let folder: ReturnType<typeof makeFolder>
beforeEach(() => {
  folder = makeFolder('changes')
})
afterEach(() => folder.remove())

class FailingLog extends SqliteEventLog {
  isFailing = false

  override read(after: number, limit: number): ReturnType<SqliteEventLog['read']> {
    if (this.isFailing) return Promise.reject(new Error('the disk does not answer'))
    return super.read(after, limit)
  }
}

it('are those of the log and of later events, newest first, once each, also after a read that failed', async () => {
  const log = new FailingLog(openDatabase(`${folder.path}/controller.db`))
  const controller = await controllerOn(log)
  try {
    await controller.lead()
    for (const machine of ['a', 'b']) await controller.report(aReport({ machine, seq: 1 }))
    const changes = new RecentChanges(controller)
    log.isFailing = true
    await expect(changes.ready()).rejects.toThrow('the disk does not answer')
    log.isFailing = false
    await changes.ready()
    await controller.report(aReport({ machine: 'c', seq: 1 }))
    expect(changes.all.map(({ subject, text, by }) => [`${subject} ${text}`, by])).toEqual([
      ['machine c joined', null],
      ['machine b joined', null],
      ['machine a joined', null],
      ['controller started: term 1, Tandem 0', null],
    ])
  } finally {
    await controller.close()
  }
})
