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

const record = { unit: 'tandem-shop-1.service', service: 'shop', id: 'shop-1', notifies: false, once: true, port: null }
/** Cannot be ended the first so many times. */
const leftover = (fails: number) => ({
  record: { ...record, signal: 'SIGTERM' as const, withinMs: 1_000 },
  remove: async () => {
    if (++removals <= fails) throw new Error('EROFS')
  },
})

it('what an earlier agent left and cannot be ended is tried again until it can, and said once', async () => {
  expect(await leftovers.end(leftover(2))).toBe('EROFS')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(removals).toBe(3)
  expect(notes).toEqual(['what an earlier agent left cannot be ended: EROFS', 'ended with the agent, or before'])
})

it('leaves it alone once another of its id is started', async () => {
  await leftovers.end(leftover(9))
  await leftovers.giveUp('shop-1')
  await vi.advanceTimersByTimeAsync(100_000)
  expect(removals).toBe(1)
})
