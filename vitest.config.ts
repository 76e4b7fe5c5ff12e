import { defineConfig } from 'vitest/config'

// Minutes of load: part of `make check`, not of `make test`.
const soak = process.env['TANDEM_SOAK'] === '1'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/system/*.test.ts', ...(soak ? ['test/soak/*.test.ts'] : [])],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/counts.ts'],
  },
})
