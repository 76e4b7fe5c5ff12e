import { getEventListeners } from 'node:events'
import { expect, it, onTestFinished, vi } from 'vitest'
import { every, sleep, systemClock } from './clock.ts'
import { VirtualClock } from './testing/virtualClock.ts'

it('sleeps for the given time, or until its signal', async () => {
  const stop = new AbortController()
  const asked = performance.now()
  await sleep(systemClock, 20, stop.signal)
  expect(performance.now() - asked).toBeGreaterThan(18)
  const slept = sleep(systemClock, 60_000, stop.signal)
  stop.abort()
  await slept
  await sleep(systemClock, 60_000, stop.signal)
})

it('sleeps longer than a timer can', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const dayMs = 24 * 3_600_000
  let isOver = false
  void sleep(systemClock, 30 * dayMs).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(30 * dayMs - 1)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(isOver).toBe(true)
})

it('leaves no listeners on a signal that outlives many sleeps', async () => {
  const { signal } = new AbortController()
  for (let i = 0; i < 50; i++) await sleep(systemClock, 0, signal)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('fires at once in the next turn, and not at all once stopped', async () => {
  const fired: string[] = []
  systemClock.after(0, () => fired.push('kept'))
  systemClock.after(0, () => fired.push('stopped'))()
  expect(fired).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(fired).toEqual(['kept'])
})

it('repeats until it is stopped, also from inside', async () => {
  const clock = new VirtualClock()
  const fired: number[] = []
  const stop = every(clock, 100, () => {
    fired.push(clock.monotonic())
    if (fired.length === 3) stop()
  })
  await clock.advance(1_000)
  expect(fired).toEqual([100, 200, 300])
})

it('on virtual time fires timers in the order of their time, then of their making, and lets promises settle between', async () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  clock.after(20, () => fired.push('late'))
  clock.after(10, () => {
    fired.push('first')
    void Promise.resolve()
      .then(() => {})
      .then(() => fired.push('what follows'))
    process.nextTick(() => fired.push('a tick'))
    clock.after(0, () => fired.push('soon'))
  })
  clock.after(10, () => fired.push('second'))
  const stop = clock.after(15, () => fired.push('stopped'))
  stop()
  await clock.advance(19)
  expect(fired).toEqual(['first', 'what follows', 'a tick', 'second', 'soon'])
  await clock.advance(1)
  expect(fired.at(-1)).toBe('late')
})

it('on virtual time waits for an observation, and says so when it never comes', async () => {
  const clock = new VirtualClock()
  let isDone = false
  clock.after(40_000, () => (isDone = true))
  await clock.until('done', () => isDone, 60_000)
  expect(clock.monotonic()).toBe(40_000)
  await expect(clock.until('the impossible', () => false, 1_000)).rejects.toThrow('the impossible within 1000 ms')
})

it('on virtual time a change of the wall clock moves no timer', async () => {
  const clock = new VirtualClock()
  const before = clock.now()
  clock.after(100, () => {})
  clock.jump(-3_600_000)
  await clock.advance(100)
  expect([clock.now() - before, clock.monotonic()]).toEqual([100 - 3_600_000, 100])
})
