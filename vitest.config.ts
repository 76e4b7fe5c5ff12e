import { defineConfig } from 'vitest/config'

// Minutes of load: part of `make check`, not of `make test`.
const soak = process.env['TANDEM_SOAK'] === '1'
// Machines under systemd-nspawn: root only, and part of `make check` where it runs as root.
const lab = process.env['TANDEM_LAB'] === '1'

export default defineConfig({
  test: {
    include: [
      ...['src/**/*.test.ts', 'test/system/*.test.ts'],
      ...(soak ? ['test/soak/*.test.ts'] : []),
      ...(lab ? ['test/lab/*.test.ts'] : []),
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/counts.ts'],
  },
})
