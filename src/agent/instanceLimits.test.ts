import { expect, it } from 'vitest'
import { instanceLimits, readyProbeMs } from './instanceLimits.ts'

it.each([
  [true, 1, 0, 2_000],
  [true, 1, 1_400, 1_600], // together with the others, at full seconds
  [true, 8, 0, 2_000],
  [true, 10, 0, 3_000],
  [true, 11, 0, 3_000],
  [true, 50, 250, 12_750],
  [false, 50, 250, 1_750],
])('ready (healthy: %s), one of %d, at %d ms: next probe after %d ms', (isWell, crowd, at, wait) => {
  expect(readyProbeMs(isWell, crowd, at, instanceLimits)).toBe(wait)
})
