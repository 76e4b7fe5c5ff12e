import { afterEach, beforeEach, expect, it } from 'vitest'
import { ControllerClock } from './controllerClock.ts'
import { VirtualClock } from '../lib/testing/virtualClock.ts'

let time: VirtualClock
let clock: ControllerClock
let deadline: number
let said: string[]
let failure: Error | null

beforeEach(() => {
  time = new VirtualClock()
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
afterEach(() => clock.stop())

it('reports that time passed at the deadline, and not before', async () => {
  deadline = time.now() + 1_230
  await time.advance(1_220)
  expect(said).toEqual([])
  await time.advance(20)
  expect(said).toEqual(['passed'])
})

it('reports nothing when nothing is due, also beyond 2^31 ms', async () => {
  await time.advance(3_000)
  deadline = time.now() + 2 ** 40
  await time.advance(2_000)
  expect(said).toEqual([])
})

it('checks a deadline that cannot be acted on at intervals, not in a busy loop', async () => {
  deadline = time.now()
  await time.advance(1_000)
  expect(said.length).toBeGreaterThan(20)
  expect(said.length).toBeLessThan(60)
})

it.each([3_600_000, -3_600_000])(
  'restarts when someone sets the clock by %i ms, and decides nothing by the jump',
  async (ms) => {
    deadline = time.now() + 10_000
    await time.advance(1_000)
    time.jump(ms)
    deadline += ms // as the controller's state does when the clock restarts
    await time.advance(1_000)
    expect(said).toEqual([`the clock jumped by ${ms} ms`])
  },
)

it('tolerates a clock that is slewed', async () => {
  for (let i = 0; i < 20; i++) {
    time.jump(100)
    await time.advance(500)
  }
  expect(said).toEqual([])
})

it('restarts after a stall', async () => {
  await time.advance(1_000)
  time.stall(60_000) // stopped by SIGSTOP, or the machine was suspended
  await time.advance(500)
  expect(said).toEqual([expect.stringMatching(/^the controller stood still for 60\d\d\d ms$/)])
})

it('continues when deciding fails, reports it once, and finds a jump again that could not be recorded', async () => {
  failure = new Error('disk full')
  time.jump(60_000)
  await time.advance(3_000)
  expect(said).toEqual(['failed: Error: disk full'])
  failure = null
  await time.advance(1_000)
  expect(said).toHaveLength(2)
  expect(said[1]).toMatch(/^the clock jumped by 60000 ms$/)
})

it('stops for good', async () => {
  deadline = time.now() + 100
  clock.stop()
  await time.advance(1_000)
  expect(said).toEqual([])
  expect(time.pending).toBe(0)
})
