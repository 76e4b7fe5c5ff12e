import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LeftoverUnits } from './leftoverUnits.ts'

let notes: string[]
let removals: number
let leftovers: LeftoverUnits
beforeEach(() => {
  vi.useFakeTimers()
  ;[notes, removals] = [[], 0]
  leftovers = new LeftoverUnits(async (_service, _id, text) => void notes.push(text))
})
afterEach(() => {
  leftovers.close()
  vi.useRealTimers()
})

const record = {
  unit: 'tandem-shop-1.service',
  service: 'shop',
  id: 'shop-1',
  notifies: false,
  isSigned: false,
  once: true,
  port: null,
}
/** A unit whose removal fails this many times. */
const leftover = (fails: number) => ({
  record: { ...record, signal: 'SIGTERM' as const, withinMs: 1_000 },
  remove: async () => {
    if (++removals <= fails) throw new Error('EROFS')
  },
})

it('retries a unit of an earlier agent until it can be stopped, and reports that once', async () => {
  expect(await leftovers.end(leftover(2))).toBe('EROFS')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(removals).toBe(3)
  expect(notes).toEqual([
    'cannot stop this unit of an earlier agent: EROFS; retrying',
    'ended with the agent, or before',
  ])
})

it('ignores the unit once another instance with its id is started', async () => {
  await leftovers.end(leftover(9))
  await leftovers.giveUp('shop-1')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(removals).toBe(1)
})
