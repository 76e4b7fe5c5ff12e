import { vi } from 'vitest'
import { patienceMs } from './patience.ts'

/** Waits until the check passes. */
export const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: patienceMs, interval: 2 })
