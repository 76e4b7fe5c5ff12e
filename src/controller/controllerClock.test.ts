import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ControllerClock } from './controllerClock.ts'
import { TestClock } from '../lib/testing/testClock.ts'

let time: TestClock
let clock: ControllerClock
let deadline: number
let said: string[]
let failure: Error | null

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  time = new TestClock()
  deadline = Number.POSITIVE_INFINITY
  said = []
  failure = null
  const say = (text: string): void => {
    if (failure) throw failure
    said.push(text)
  }
  clock = new ControllerClock(time, {
    deadline: () => deadline,
    passed: async () => say('passed'),
    restarted: async (reason) => say(reason),
    failed: (error) => said.push(`failed: ${String(error)}`),
  })
  clock.start()
})
afterEach(() => {
  clock.stop()
  vi.useRealTimers()
})

/** Lets real time pass: timers and both clocks. */
async function live(ms: number): Promise<void> {
  for (let step = 0; step < ms; step += 10) {
    time.pass(10)
    await vi.advanceTimersByTimeAsync(10)
  }
}

it('reports that time passed at the deadline, and not before', async () => {
  deadline = time.now() + 1_230
  await live(1_220)
  expect(said).toEqual([])
  await live(20)
  expect(said).toEqual(['passed'])
})

it('reports nothing when nothing is due, also beyond 2^31 ms', async () => {
  await live(3_000)
  deadline = time.now() + 2 ** 40
  await live(2_000)
  expect(said).toEqual([])
})

it('checks a deadline that cannot be acted on at intervals, not in a busy loop', async () => {
  deadline = time.now()
  await live(1_000)
  expect(said.length).toBeGreaterThan(20)
  expect(said.length).toBeLessThan(60)
})

it.each([3_600_000, -3_600_000])(
  'restarts when someone sets the clock by %i ms, and decides nothing by the jump',
  async (ms) => {
    deadline = time.now() + 10_000
    await live(1_000)
    time.jump(ms)
    deadline += ms // as the controller's state does when the clock restarts
    await live(1_000)
    expect(said).toEqual([`the clock jumped by ${ms} ms`])
  },
)

it('tolerates a clock that is slewed', async () => {
  for (let i = 0; i < 20; i++) {
    time.jump(100)
    await live(500)
  }
  expect(said).toEqual([])
})

it('restarts after a stall', async () => {
  await live(1_000)
  time.pass(60_000) // stopped by SIGSTOP, or the machine was suspended
  await live(500)
  expect(said).toEqual([expect.stringMatching(/^the controller stood still for 60\d\d\d ms$/)])
})

it('continues when deciding fails, reports it once, and finds a jump again that could not be recorded', async () => {
  failure = new Error('disk full')
  time.jump(60_000)
  await live(3_000)
  expect(said).toEqual(['failed: Error: disk full'])
  failure = null
  await live(1_000)
  expect(said).toHaveLength(2)
  expect(said[1]).toMatch(/^the clock jumped by 60000 ms$/)
})

it('stops for good', async () => {
  deadline = time.now() + 100
  clock.stop()
  await live(1_000)
  expect(said).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
