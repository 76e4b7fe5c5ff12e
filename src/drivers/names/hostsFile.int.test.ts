import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { hostsFile } from './hostsFile.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-hosts-'))
  path = join(folder, 'hosts')
})

const names = [{ service: 'postgres', address: '127.77.3.4' }]

it('keeps the mode of the file, and leaves no other file behind', async () => {
  writeFileSync(path, '127.0.0.1 localhost\n')
  chmodSync(path, 0o644)
  const driver = hostsFile(path)
  expect(driver.hold(names)).toBe(false)
  await driver.write(names)
  expect(driver.hold(names)).toBe(true)
  expect(statSync(path).mode & 0o777).toBe(0o644)
  expect(readdirSync(folder)).toEqual(['hosts'])
  expect(readFileSync(path, 'utf8')).toContain('127.77.3.4 postgres.tandem.internal\n')
})

it('replaces the file as a whole: a reader that has it open sees the old text', async () => {
  writeFileSync(path, '127.0.0.1 localhost\n')
  const before = statSync(path).ino
  await hostsFile(path).write(names)
  expect(statSync(path).ino).not.toBe(before)
})

it('does not touch a file that has no names and needs none', async () => {
  writeFileSync(path, 'no newline at the end')
  const before = statSync(path).ino
  const driver = hostsFile(path)
  expect(driver.hold([])).toBe(true)
  await driver.write([])
  expect([statSync(path).ino, readFileSync(path, 'utf8')]).toEqual([before, 'no newline at the end'])
})

it('writes through a link, and makes a file that is missing', async () => {
  await hostsFile(path).write(names)
  const link = join(folder, 'link')
  symlinkSync(path, link)
  await hostsFile(link).write([])
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('')
})
