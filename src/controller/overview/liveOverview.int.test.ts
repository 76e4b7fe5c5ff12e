import { expect, it } from 'vitest'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import { openDatabase } from '../../store/database.ts'
import { SqliteEventLog } from '../../store/sqliteEventLog.ts'
import { NumbersKeeper } from '../numbers/numbersKeeper.ts'
import { statusView } from '../statusView.ts'
import { aReport, controllerOn, makeFolder, quiet } from '../testing/given.ts'
import { LiveOverview } from './liveOverview.ts'
import { RecentChanges } from './recentChanges.ts'

it('is made again soon after an event, and once a second while machines only report', async () => {
  const folder = makeFolder('overview')
  const clock = new VirtualClock()
  const controller = await controllerOn(new SqliteEventLog(openDatabase(`${folder.path}/controller.db`)), clock)
  try {
    await controller.lead()
    await controller.report(aReport({ machine: 'a', seq: 1 }))
    let made = 0
    const overview = new LiveOverview({
      ...{
        controller,
        changes: new RecentChanges(controller),
        numbers: new NumbersKeeper({ controller, logger: quiet }),
      },
      ...{ checks: () => [], store: () => null },
      status: () => {
        made++
        return statusView(controller)
      },
    })
    const stop = await overview.follow(() => {}, 'first')
    await clock.advance(5_000)
    made = 0
    for (let seq = 2; seq < 52; seq++) {
      await controller.report(aReport({ machine: 'a', seq }))
      await clock.advance(200)
    }
    // At the first report, and once in each of ten seconds.
    expect(made).toBe(11)
    await clock.advance(1_000)
    made = 0
    await controller.report(aReport({ machine: 'a', seq: 52 }))
    await clock.advance(0)
    await controller.report(aReport({ machine: 'a', seq: 53 }))
    await controller.report(aReport({ machine: 'b', seq: 1 }))
    await clock.advance(199)
    expect(made).toBe(1)
    await clock.advance(1)
    expect(made).toBe(2)
    stop()
  } finally {
    await controller.close()
    folder.remove()
  }
})
