import { expect, it } from 'vitest'
import { pageSize, Timeline, type Search, type TimelineEvent } from './timelineModel.ts'

/** A log of which every second event is one that is looked for; `reach`: positions that one search looks at. */
function aLog({ length, reach = 1_000 }: { length: number; reach?: number }) {
  const log = { length, searches: [] as Search[], fails: false }
  const find = async ({ limit, before = log.length + 1, after = 0 }: Search) => {
    log.searches.push({ limit, before, after })
    if (log.fails) throw new TypeError('the controller does not answer')
    const start = Math.min(before, log.length + 1)
    const events: TimelineEvent[] = []
    let position = start
    while (position > after + 1 && events.length < limit && start - position < reach) {
      position--
      if (position % 2 === 0) events.push({ position, at: '2026-11-29T10:00:00.000Z', type: 'MachineNoted', data: {} })
    }
    return { events, next: position > after + 1 ? position : null, position: log.length }
  }
  return { log, find }
}

const positions = ({ shown }: Timeline): number[] => shown.value?.events.map(({ position }) => position) ?? []
const evens = (from: number, to: number): number[] =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index).filter((position) => position % 2 === 0)

async function opened(log: ReturnType<typeof aLog>, around: number | null = null): Promise<Timeline> {
  const timeline = new Timeline({ find: log.find, pause: async () => {}, around })
  await timeline.start()
  return timeline
}

it('begins with the newest events, and pages back to the first without a gap or a repetition', async () => {
  const log = aLog({ length: 500 })
  const timeline = await opened(log)
  expect(positions(timeline)).toEqual(evens(500, 500 - 2 * pageSize + 1))
  while (timeline.shown.value?.next !== null) await timeline.older()
  expect(positions(timeline)).toEqual(evens(500, 1))
  const { length } = log.log.searches
  await timeline.older()
  expect(log.log.searches).toHaveLength(length)
})

it('goes on where a search of a long log ended without a result', async () => {
  const timeline = await opened(aLog({ length: 500, reach: 1 }))
  expect(positions(timeline)).toEqual([500])
  await timeline.older()
  expect(positions(timeline)).toEqual([500])
  await timeline.older()
  expect(positions(timeline)).toEqual([500, 498])
})

it('lets newer events wait until somebody wants to see them', async () => {
  const log = aLog({ length: 10 })
  const timeline = await opened(log)
  log.log.length = 13
  await timeline.heard(13)
  expect(timeline.waiting.value.map(({ position }) => position)).toEqual([12])
  expect(positions(timeline)).toEqual(evens(10, 1))
  log.log.length = 14
  await timeline.heard(14)
  await timeline.showWaiting()
  expect([positions(timeline), timeline.waiting.value]).toEqual([evens(14, 1), []])
})

it('begins again when more events came than it reads at once', async () => {
  const log = aLog({ length: 10 })
  const timeline = await opened(log)
  log.log.length = 1_000
  await timeline.heard(1_000)
  expect(timeline.waiting.value).toHaveLength(pageSize)
  await timeline.showWaiting()
  expect(positions(timeline)).toEqual(evens(1_000, 1_000 - 2 * pageSize + 1))
  await timeline.older()
  expect(positions(timeline)).toHaveLength(2 * pageSize)
})

it('begins near the event that the address names, and does not look for newer ones there', async () => {
  const log = aLog({ length: 500 })
  const timeline = await opened(log, 100)
  expect(positions(timeline)).toContain(100)
  expect([positions(timeline)[0], timeline.isAtEnd.value]).toEqual([138, false])
  log.log.length = 502
  await timeline.heard(502)
  expect(timeline.waiting.value).toEqual([])
  await timeline.showNewest()
  expect([positions(timeline)[0], timeline.isAtEnd.value]).toEqual([502, true])
  expect((await opened(log, 495)).isAtEnd.value).toBe(true)
})

it('keeps its events when the controller does not answer, and says so', async () => {
  const log = aLog({ length: 500 })
  const timeline = await opened(log)
  const before = positions(timeline)
  log.log.fails = true
  await timeline.older()
  await timeline.heard(600)
  expect([positions(timeline), timeline.failure.value]).toEqual([before, 'the controller does not answer'])
  log.log.fails = false
  await timeline.older()
  expect([positions(timeline).length, timeline.failure.value]).toEqual([2 * pageSize, null])
})
