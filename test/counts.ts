import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'

interface Counts {
  passed: number
  skipped: number
  /** `file > suite > test: first line of the error`. */
  failed: string[]
}

/**
 * Ends with the names of the tests that failed, because a long output is often seen from its end only, and with the line
 * that CI reads: `tests: N passed, N failed, N skipped`. With TANDEM_COUNTS, a file that all runs of one `make` share, it
 * prints their sum.
 */
class CountsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const counts = added(counted(modules))
    for (const name of counts.failed) console.log(`failed: ${name}`)
    console.log(`tests: ${counts.passed} passed, ${counts.failed.length} failed, ${counts.skipped} skipped`)
  }
}

function counted(modules: ReadonlyArray<TestModule>): Counts {
  const counts: Counts = { passed: 0, skipped: 0, failed: [] }
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result()
      if (state === 'failed') counts.failed.push(sentenceOn(test, module, errors))
      else counts[state === 'passed' ? 'passed' : 'skipped']++
    }
    // A hook that fails before a suite skips its tests.
    for (const suite of [module, ...module.children.allSuites()]) {
      const errors = suite.errors()
      if (errors.length > 0) counts.failed.push(sentenceOn(suite, module, errors))
    }
  }
  return counts
}

type Failed = TestCase | TestSuite | TestModule

function sentenceOn(failed: Failed, module: TestModule, errors: readonly { message: string }[] = []): string {
  const file = relative(process.cwd(), module.moduleId)
  const name = failed.type === 'module' ? file : `${file} > ${failed.fullName}`
  return `${name}: ${stripVTControlCharacters(errors[0]?.message ?? '').split('\n')[0]}`
}

function added(counts: Counts): Counts {
  const file = process.env['TANDEM_COUNTS']
  if (file === undefined) return counts
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counts) : null // written below
  const sum: Counts = {
    passed: counts.passed + (before?.passed ?? 0),
    failed: [...(before?.failed ?? []), ...counts.failed],
    skipped: counts.skipped + (before?.skipped ?? 0),
  }
  writeFileSync(file, JSON.stringify(sum))
  return sum
}

export { CountsReporter as default }
