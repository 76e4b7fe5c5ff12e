import { defineConfig } from 'vitest/config'
import { patienceMs, testMs } from './src/lib/testing/patience.ts'
import { LongestFirst } from './test/longestFirst.ts'

// Minutes of load, and what ships made twice: part of `make check` and of `make soak`, not of `make test`.
const long = process.env['TANDEM_LONG'] === '1'
// Machines under systemd-nspawn: root only, and part of `make check` where it runs as root.
const lab = process.env['TANDEM_LAB'] === '1'
// Tests that watch a clock (`…alone.test.ts`) run by themselves, after all others.
const alone = process.env['TANDEM_ALONE'] === '1'

const whole = [
  'packaging/*.test.ts',
  'test/inProcess/*.test.ts',
  'test/assembled/*.test.ts',
  'test/system/*.test.ts',
  'test/defects/*.test.ts',
  ...(long ? ['test/long/*.test.ts'] : []),
  ...(lab ? ['test/lab/*.test.ts'] : []),
]

export default defineConfig({
  test: {
    exclude: alone ? [] : ['test/lab/*.alone.test.ts'],
    pool: 'forks',
    // Node runs the sources as they are, as it does in production: a third less processor time than Vite's transform.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // More than the two cores that CI has: tests wait for half of their time. Booted machines do not: with three pairs at
    // once, what they emulate and their clocks are too slow.
    maxWorkers: alone ? 1 : lab ? 2 : 3,
    sequence: { sequencer: LongestFirst },
    expect: { poll: { timeout: patienceMs } },
    testTimeout: testMs,
    hookTimeout: testMs,
    reporters: ['default', './test/counts.ts'],
    projects: alone
      ? [{ extends: true, test: { name: 'alone', include: ['test/lab/*.alone.test.ts'] } }]
      : [
          // A process for each of 220 files costs a third of their time.
          { extends: true, test: { name: 'parts', include: ['src/**/*.test.ts', 'web/**/*.test.ts'], isolate: false } },
          // Node does not know JSX, so these take Vite's transform.
          {
            ...{ extends: true, oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } } },
            test: {
              name: 'page',
              include: ['web/**/*.test.tsx'],
              isolate: false,
              experimental: { viteModuleRunner: true },
            },
          },
          { extends: true, test: { name: 'whole', include: whole } },
        ],
  },
})
