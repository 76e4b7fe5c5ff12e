import { expect, it } from 'vitest'
import type { EventView } from '../../src/api/views.ts'
import { eventsAfter } from './rolloutEvents.ts'

/** A log of 1,000 positions with a rollout of the positions 10 to 30; a search looks at 100 of them and takes up to 8. */
function aLog() {
  const searches: (number | undefined)[] = []
  const all = Array.from({ length: 21 }, (_, index): EventView => {
    const type = index === 0 ? 'RolloutStarted' : 'StepStarted'
    return { position: 10 + index, at: '2026-11-29T10:00:00.000Z', type, data: {} }
  })
  const find = async ({ after, before = 1_001 }: { after: number; before?: number }) => {
    searches.push(before)
    const from = Math.max(after, before - 101)
    const events = all.filter(({ position }) => position > from && position < before).toReversed()
    if (events.length > 8) return { events: events.slice(0, 8), next: events[7]?.position ?? null }
    return { events, next: from > after ? from + 1 : null }
  }
  return { all, searches, find }
}

it('reads a rollout of long ago from its end to its start', async () => {
  const { all, searches, find } = aLog()
  expect(await eventsAfter([], { find, end: async () => 30 })).toEqual(all)
  expect(searches).toEqual([1_001, 31, 23, 15])
})

it('looks through the log where nobody knows the end, and reads only events that are not known yet', async () => {
  const { all, searches, find } = aLog()
  expect(await eventsAfter([], { find, end: async () => null })).toEqual(all)
  expect(searches.length).toBeGreaterThan(10)
  expect(await eventsAfter(all.slice(0, 15), { find, end: async () => 30 })).toEqual(all)
})
