import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Event } from '../../events/event.ts'
import type { EventLog, LogMatch } from '../eventLog.ts'

export interface EventLogUnderTest {
  log: EventLog
  /** Opens the same log again, as the next process does. The first one is closed. */
  again(): Promise<EventLog>
  /** Makes appends fail as on a full disk, or lets them succeed again. */
  fill(isFull: boolean): void
  dispose(): Promise<void>
}

const event = (reason: string): Event => ({ type: 'ClockRestarted', data: { reason } })
const events = (count: number): Event[] => Array.from({ length: count }, (_, index) => event(String(index)))

/** The promises that every event log keeps, the one for tests included. */
export function eventLogConformance(name: string, make: () => Promise<EventLogUnderTest>): void {
  describe(`an event log: ${name}`, () => {
    let tested: EventLogUnderTest
    let log: EventLog

    beforeEach(async () => {
      tested = await make()
      log = tested.log
    })
    afterEach(async () => {
      await log.close()
      await tested.dispose()
    })
    const positions = async (after: number, limit: number): Promise<number[]> =>
      (await log.read(after, limit)).map(({ position }) => position)
    const reopen = async (): Promise<void> => {
      await log.close()
      log = await tested.again()
    }

    it('is empty at first, appends at an expected position, and returns the recorded events', async () => {
      expect([await log.position(), await log.read(0, 10)]).toEqual([0, []])
      await log.append(0, [event('a'), event('b')], 1_000)
      const recorded = [{ type: 'ClockRestarted', data: { reason: 'c' }, position: 3, at: '1970-01-01T00:00:02.000Z' }]
      expect(await log.append(2, [event('c')], 2_000)).toEqual(recorded)
      expect(await log.position()).toBe(3)
      expect(await log.read(2, 10)).toEqual(recorded)
    })

    it('keeps events when it is opened again', async () => {
      const data = { reason: 'Grüße "\\ \n' }
      await log.append(0, [event('a'), { type: 'ClockRestarted', data }], 0)
      await reopen()
      expect(await log.position()).toBe(2)
      expect((await log.read(1, 10))[0]?.data).toEqual(data)
      expect((await log.append(2, [event('c')], 0))[0]?.position).toBe(3)
    })

    it('reads pages in order, without a gap or a repetition', async () => {
      await log.append(0, events(25), 0)
      expect([...(await positions(0, 10)), ...(await positions(10, 10)), ...(await positions(20, 10))]).toEqual(
        Array.from({ length: 25 }, (_, index) => index + 1),
      )
      expect(await positions(25, 10)).toEqual([])
      expect(await positions(99, 10)).toEqual([])
    })

    it('keeps the caller and the cause of each event', async () => {
      const known = { ...event('c'), by: 'machine a', cause: 1 }
      const recorded = await log.append(0, [{ ...event('a'), by: 'ci' }, event('b'), known], 0)
      expect(recorded.map(({ by, cause }) => [by, cause])).toEqual([
        ...[
          ['ci', undefined],
          [undefined, undefined],
          ['machine a', 1],
        ],
      ])
      await reopen()
      expect(await log.read(0, 10)).toEqual(recorded)
      expect((await log.append(3, [{ ...event('d'), by: null, cause: null }], 0))[0]?.by).toBeNull()
      expect((await log.read(3, 1))[0]).toMatchObject({ by: null, cause: null })
    })

    it('finds events from the newest on, by everything that is given', async () => {
      expect(await log.search({ after: 0, before: 10 }, { by: 'ci', cause: 1, isAsked: true }, 10)).toEqual([])
      const lost: Event = { type: 'MachineLost', data: { machine: 'b"\n', silentMs: 1 } }
      await log.append(0, [{ ...event('a'), by: 'ci' }, ...events(3), { ...lost, cause: 2 }], 0)
      const found = async (match: LogMatch, limit = 10, range = { after: 0, before: 10 }): Promise<number[]> =>
        (await log.search(range, match, limit)).map(({ position }) => position)
      expect(await found({})).toEqual([5, 4, 3, 2, 1])
      expect(await found({}, 2)).toEqual([5, 4])
      expect(await found({}, 10, { after: 1, before: 4 })).toEqual([3, 2])
      expect(await found({ types: ['MachineLost', 'MachineJoined'] })).toEqual([5])
      expect([await found({ by: 'ci' }), await found({ by: '' }), await found({ isAsked: true })]).toEqual([
        [1],
        [],
        [1],
      ])
      expect([await found({ cause: 2 }), await found({ cause: 3 })]).toEqual([[5], []])
      expect(await found({ contains: [['"1"', '"a"']] })).toEqual([3, 1])
      expect(await found({ contains: [['"reason"'], ['"2"', JSON.stringify('b"\n')]] })).toEqual([4])
      expect((await log.search({ after: 4, before: 6 }, {}, 1))[0]).toMatchObject({ ...lost, cause: 2 })
    })

    it('refuses another expected position, behind or ahead, and then appends nothing', async () => {
      await log.append(0, events(2), 0)
      for (const expected of [0, 1, 3]) {
        await expect(log.append(expected, [event('x')], 0)).rejects.toMatchObject({ code: 'E_LOG_MOVED' })
      }
      expect(await positions(0, 10)).toEqual([1, 2])
    })

    it('lets one of two appends at the same position win, whole', async () => {
      const both = [log.append(0, events(3), 0), log.append(0, events(3), 0)]
      const settled = await Promise.allSettled(both)
      expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(await positions(0, 10)).toEqual([1, 2, 3])
    })

    it('leaves a gap only on request, and never goes back', async () => {
      await log.append(0, [event('a')], 0)
      expect((await log.append(1, [event('b')], 0, 500))[0]?.position).toBe(500)
      expect(await log.position()).toBe(500)
      expect(await positions(1, 10)).toEqual([500])
      await expect(log.append(500, [event('c')], 0, 400)).rejects.toThrow('positions only grow')
      expect((await log.append(500, [event('d')], 0))[0]?.position).toBe(501)
    })

    it('appends nothing while it cannot be written, says so, and appends again afterwards', async () => {
      await log.append(0, [event('a')], 0)
      tested.fill(true)
      const big = event('x'.repeat(200_000))
      await expect(log.append(1, [event('b'), big], 0)).rejects.toMatchObject({ code: 'E_LOG_UNWRITABLE' })
      expect([await log.position(), await positions(0, 10)]).toEqual([1, [1]])
      tested.fill(false)
      await log.append(1, [big], 0)
      await reopen()
      expect(await positions(0, 10)).toEqual([1, 2])
    })
  })
}
