import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defects, type Defect } from './defects.ts'

/*
 * Brings each seeded defect into a worktree of this commit and runs the tests that must notice it:
 *   node test/defects/run.ts            the tests in one process (test/inProcess)
 *   node test/defects/run.ts before     the tests of whole processes that noticed it before (test/system, at b28f91c)
 * Further arguments select defects by number. Exits with 1 if a defect stays unnoticed.
 */
const [which = 'now', ...numbers] = process.argv.slice(2)
const root = join(import.meta.dirname, '../..')
const limitMs = 300_000

function worktree(): string {
  const folder = join(root, 'tmp/defects', `${which}-${process.pid}`)
  mkdirSync(join(root, 'tmp/defects'), { recursive: true })
  execFileSync('git', ['worktree', 'add', '-q', '--detach', folder, which === 'before' ? 'b28f91c' : 'HEAD'], {
    cwd: root,
  })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Runs vitest in the worktree; `true` if a test failed. */
function fails(folder: string, tests: string[]): { failed: boolean; names: string[] } {
  const output = join(folder, 'tmp', 'result.json')
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  rmSync(output, { force: true })
  const vitest = [join(folder, 'node_modules/vitest/vitest.mjs'), 'run', ...tests]
  spawnSync(
    process.execPath,
    [...vitest, '--bail=1', '--testTimeout=60000', '--reporter=json', `--outputFile=${output}`],
    {
      ...{ cwd: folder, stdio: 'ignore', timeout: limitMs, killSignal: 'SIGKILL' },
    },
  )
  let result: Result
  try {
    result = JSON.parse(readFileSync(output, 'utf8')) as Result // vitest's own format
  } catch {
    return { failed: true, names: [`no result within ${limitMs / 1000} s`] }
  }
  const all = result.testResults.flatMap((file) => file.assertionResults)
  const names = all.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
  const broken = result.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name)
  return { failed: !result.success, names: names.length > 0 ? names : broken }
}

interface Result {
  success: boolean
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[]
}

function testsBefore({ before }: Defect): string[] | null {
  return before && [`test/system/${before[0]}.test.ts`, '-t', before[1]]
}

function seeded(folder: string, { file, from, to }: Defect): () => void {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) throw new Error(`${file} does not hold this once: ${from}`)
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
  return () => writeFileSync(path, text)
}

const folder = worktree()
let unnoticed = 0
try {
  for (const [index, defect] of defects.entries()) {
    if (numbers.length > 0 && !numbers.includes(String(index + 1))) continue
    const tests = which === 'before' ? testsBefore(defect) : ['test/inProcess']
    if (tests === null) continue
    const restore = seeded(folder, defect)
    const { failed, names } = fails(folder, tests)
    restore()
    if (!failed) unnoticed++
    console.log(`${index + 1} ${failed ? 'noticed' : 'NOT NOTICED'}: ${defect.name} · ${names[0] ?? ''}`)
  }
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', folder], { cwd: root })
}
console.log(`${unnoticed} not noticed`)
process.exitCode = unnoticed === 0 ? 0 : 1
