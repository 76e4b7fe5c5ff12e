import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { openProgram } from './newProgram.ts'

let folder: string
let workshop: string
beforeEach(() => {
  const parent = join(import.meta.dirname, '../../../tmp')
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, 'program-'))
  workshop = join(folder, 'workshop')
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function program(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'tandem', name)), { recursive: true })
    writeFileSync(join(folder, 'tandem', name), text)
  }
  return join(folder, 'tandem')
}

const whole = {
  ...{ 'bin/node': '', 'bin/tandem': '', 'lib/main.js': '', 'lib/trial.js': '' },
  'package.json': '{ "name": "tandem", "version": "1.2.3" }',
}

it('opens a folder in place, and unpacks an archive below the workshop until disposal', async () => {
  const path = program(whole)
  {
    await using opened = await openProgram(path, workshop)
    expect(opened).toMatchObject({ folder: path, version: '1.2.3' })
  }
  expect(existsSync(path)).toBe(true)
  const archive = join(folder, 'tandem.tar.gz')
  execFileSync('tar', ['-czf', archive, '-C', folder, 'tandem'])
  {
    await using opened = await openProgram(archive, workshop)
    expect(opened.version).toBe('1.2.3')
    expect(existsSync(join(opened.folder, 'lib/main.js'))).toBe(true)
  }
  expect(readdirSync(workshop)).toEqual([])
})

it('explains why it refuses anything else, and leaves no files', async () => {
  const { 'lib/trial.js': _, ...incomplete } = whole
  await expect(openProgram(join(folder, 'nothing'), workshop)).rejects.toThrow('no such file or folder')
  await expect(openProgram(program(incomplete), workshop)).rejects.toThrow('lib/trial.js is missing')
  await expect(openProgram(program({ ...whole, 'package.json': '{ "name": "shop" }' }), workshop)).rejects.toThrow(
    'no version of Tandem',
  )
  writeFileSync(join(folder, 'text'), 'no archive')
  await expect(openProgram(join(folder, 'text'), workshop)).rejects.toThrow('tar cannot unpack it')
  expect(readdirSync(workshop)).toEqual([])
})
