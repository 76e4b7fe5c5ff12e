import { getEventListeners } from 'node:events'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Backoff, pause } from './backoff.ts'

it('doubles up to its limit, takes off a random part of up to a half, and starts again after a reset', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 500 }, () => 0)
  expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 500, 500])
  backoff.reset()
  expect(backoff.next()).toBe(100)
  expect(new Backoff({ firstMs: 100, mostMs: 500 }, () => 0.999).next()).toBeCloseTo(50, 0)
})

it('pauses for the given time, or until its signal', async () => {
  const stop = new AbortController()
  const asked = performance.now()
  await pause(20, stop.signal)
  expect(performance.now() - asked).toBeGreaterThan(18)
  const paused = pause(60_000, stop.signal)
  stop.abort()
  await paused
  await pause(60_000, stop.signal)
  expect(performance.now() - asked).toBeLessThan(5_000)
})

it('pauses longer than a timer can', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const dayMs = 24 * 3_600_000
  let isOver = false
  void pause(30 * dayMs, new AbortController().signal).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(30 * dayMs - 1)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(isOver).toBe(true)
})

it('leaves no listeners on a signal that outlives many pauses', async () => {
  const { signal } = new AbortController()
  for (let i = 0; i < 50; i++) await pause(0, signal)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})
