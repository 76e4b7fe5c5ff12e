import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

interface Numbers {
  passed: number
  failed: number
  skipped: number
}

/**
 * Prints the one line that CI reads: `tests: N passed, N failed, N skipped`. With TANDEM_COUNTS, a file that all runs
 * of one `make` share, it prints their sum.
 */
class Counts implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++
      if (module.errors().length > 0) counts.failed++
    }
    const { passed, failed, skipped, pending } = counts
    const sum = added({ passed, failed, skipped: skipped + pending })
    console.log(`tests: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
  }
}

function added(counts: Numbers): Numbers {
  const file = process.env['TANDEM_COUNTS']
  if (file === undefined) return counts
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Numbers) : null // written below
  const sum = {
    passed: counts.passed + (before?.passed ?? 0),
    failed: counts.failed + (before?.failed ?? 0),
    skipped: counts.skipped + (before?.skipped ?? 0),
  }
  writeFileSync(file, JSON.stringify(sum))
  return sum
}

export { Counts as default }
