import type { Clock } from '../../../lib/clock.ts'

/**
 * How long a slow disk may hold an instance back: at most this long in total until the disk has caught up. A program
 * whose output blocks does not answer requests.
 */
export interface HoldBack {
  /** The instance was held back for the whole time allowed. */
  isSpent(): boolean
  /** Resolves at `release`, or when the time is spent. */
  wait(): Promise<void>
  /** There is room for output again. */
  release(): void
  caughtUp(): void
}

export function createHoldBack(clock: Clock, mostMs: number): HoldBack {
  let spentMs = 0
  let current: { over: PromiseWithResolvers<void>; ended: Promise<void> } | null = null

  const begin = (): NonNullable<typeof current> => {
    const over = Promise.withResolvers<void>()
    const from = clock.monotonic()
    const timer = setTimeout(() => {
      spentMs = mostMs
      over.resolve()
    }, mostMs - spentMs)
    const ended = over.promise.then(() => {
      clearTimeout(timer)
      spentMs += clock.monotonic() - from
      current = null
    })
    return { over, ended }
  }
  return {
    isSpent: () => spentMs >= mostMs,
    wait: () => (current ??= begin()).ended,
    release: () => current?.over.resolve(),
    caughtUp: () => {
      spentMs = 0
    },
  }
}
