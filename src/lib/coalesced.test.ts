import { expect, it } from 'vitest'
import { coalesced } from './coalesced.ts'

interface Gated {
  work: () => Promise<void>
  runs: () => number
  open: () => void
  fail: (error: Error) => void
}

function gated(): Gated {
  let runs = 0
  let gate = Promise.withResolvers<void>()
  const pass = (settle: (resolvers: typeof gate) => void): void => {
    const before = gate
    gate = Promise.withResolvers<void>()
    settle(before)
  }
  return {
    work: () => {
      runs += 1
      return gate.promise
    },
    runs: () => runs,
    open: () => pass(({ resolve }) => resolve()),
    fail: (error) => pass(({ reject }) => reject(error)),
  }
}

const steps = async (): Promise<void> => {
  for (let step = 0; step < 10; step++) await Promise.resolve()
}

it('requests in one step share one run', async () => {
  const { work, runs, open } = gated()
  const { ask } = coalesced(work)
  const asked = [ask(), ask(), ask()]
  await steps()
  expect(runs()).toBe(1)
  open()
  await Promise.all(asked)
  expect(runs()).toBe(1)
})

it('requests during a run share one more run, which begins after them', async () => {
  const { work, runs, open } = gated()
  const { ask } = coalesced(work)
  const first = ask()
  await steps()
  let isOver = false
  const later = [ask(), ask()]
  void later[0]?.then(() => (isOver = true))
  open()
  await first
  await steps()
  expect(runs()).toBe(2)
  expect(isOver).toBe(false)
  open()
  await Promise.all(later)
})

it('a request in the same step in which a run ends is not lost', async () => {
  let runs = 0
  const { ask } = coalesced(async () => void (runs += 1))
  await ask().then(() => ask())
  expect(runs).toBe(2)
})

it('reports a failure to the caller, and continues', async () => {
  const { work, open, fail } = gated()
  const { ask, idle } = coalesced(work)
  const failing = ask()
  await steps()
  const next = ask()
  fail(new Error('no'))
  await expect(failing).rejects.toThrow('no')
  open()
  await next
  await idle()
})

it('is idle once the runs requested meanwhile have ended too', async () => {
  const { work, runs, open } = gated()
  const { ask, idle } = coalesced(work)
  void ask()
  let isIdle = false
  const idling = idle().then(() => (isIdle = true))
  await steps()
  void ask()
  open()
  await steps()
  expect([runs(), isIdle]).toEqual([2, false])
  open()
  await idling
})
