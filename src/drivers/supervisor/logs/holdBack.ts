import type { Clock } from '../../../lib/clock.ts'

/**
 * How long a disk that does not keep up may hold an instance back: so long in all until it has caught up. A program whose
 * output blocks answers nobody.
 */
export interface HoldBack {
  /** It was held back for as long as it may be. */
  isSpent(): boolean
  /** Resolves at `release`, or when the time is spent. */
  wait(): Promise<void>
  /** There is room again. */
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
