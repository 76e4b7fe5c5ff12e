import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const folder = join(root, '.tandem')

it('the demo loses no request, reports that, and leaves no files, for any user', () => {
  mkdirSync(folder, { recursive: true })
  const before = new Set(readdirSync(folder))
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/main.ts'), 'demo', '--json'], {
    encoding: 'utf8',
  })
  expect(JSON.parse(stdout), stderr).toMatchObject({ passed: true, load: { failed: 0 } })
  expect(status, stderr).toBe(0)
  expect(readdirSync(folder).filter((name) => !before.has(name))).toEqual([])
})
