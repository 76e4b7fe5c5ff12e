import type { VirtualClock } from '../../src/lib/testing/virtualClock.ts'

/** How often time passes. */
const stepMs = 20

/** Lets time pass `speed` times as fast as real time, while `isRunning`. */
export async function passTime(
  clock: VirtualClock,
  speed = (): number => 1,
  isRunning = (): boolean => true,
): Promise<void> {
  let last = performance.now()
  while (isRunning()) {
    await new Promise((resolve) => setTimeout(resolve, stepMs))
    const now = performance.now()
    await clock.advance((now - last) * speed())
    last = now
  }
}
