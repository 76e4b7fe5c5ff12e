import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { makeTestFolder } from '../src/releases/releaseFixture.ts'

const root = join(import.meta.dirname, '..')
type Packages = Record<string, { version: string; integrity: string; optional?: boolean }>

const wanted: Packages = {
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/dev': { version: '2.0.0', integrity: 'sha512-dev' },
  'node_modules/other-processor': { version: '3.0.0', integrity: 'sha512-o', optional: true },
}
const { 'node_modules/a': a, 'node_modules/dev': dev } = wanted

/** The npm command that make runs if npm's own record has `found`; `null`: nothing was ever installed. */
async function askedOfNpm(found: Packages | null): Promise<string[]> {
  const folder = await makeTestFolder()
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['Makefile', 'packaging/installed.mjs']) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name))
  }
  mkdirSync(join(folder, 'node_modules'))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/npm'), '#!/bin/sh\necho "$1" >> asked\n', { mode: 0o755 })
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...wanted } }))
  if (found) writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: found }))
  const make = (): void => {
    const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}`, MAKEFLAGS: '' }
    execFileSync('make', ['--silent', 'node_modules/.installed'], { cwd: folder, env, stdio: 'ignore' })
  }
  make()
  make()
  // Simulates a checkout of another commit and back: the same content, written later.
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(folder, 'package-lock.json'), later, later)
  if (found) make()
  return existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : []
}

it('make installs no package that is installed already, in whatever way', async () => {
  if (!a || !dev) throw new Error('the test needs two packages')
  expect(await askedOfNpm({ 'node_modules/a': a, 'node_modules/dev': dev })).toEqual([])
})

it('make adds missing packages, and installs all packages if there are none', async () => {
  if (!a || !dev) throw new Error('the test needs two packages')
  expect(new Set(await askedOfNpm({ 'node_modules/a': a }))).toEqual(new Set(['install']))
  const older = { ...dev, version: '1.9.0' }
  expect(new Set(await askedOfNpm({ 'node_modules/a': a, 'node_modules/dev': older }))).toEqual(new Set(['install']))
  expect(await askedOfNpm(null)).toEqual(['ci'])
})
