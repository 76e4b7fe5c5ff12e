import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BoundedFolder } from './boundedFolder.ts'

let path: string
beforeEach(() => void (path = join(mkdtempSync(join(tmpdir(), 'bounded-')), 'folder')))
afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }))

const open = (limits: Partial<{ files: number; bytes: number }> = {}): BoundedFolder =>
  new BoundedFolder(path, { ending: '.txt', files: 3, bytes: 100, ...limits })

it('removes the files that were written longest ago, beyond a number and beyond bytes', () => {
  const folder = open()
  for (const name of ['a', 'b', 'c']) folder.write(name, 'x')
  folder.append('a', 'y')
  folder.write('d', 'x')
  expect(folder.names()).toEqual(['c', 'a', 'd'])
  folder.write('e', 'z'.repeat(98))
  expect(folder.names()).toEqual(['d', 'e'])
  expect(readdirSync(path).toSorted()).toEqual(['d.txt', 'e.txt'])
  expect([folder.read('e')?.length, folder.read('c'), folder.bytesOf('d')]).toEqual([98, null, 1])
})

it('goes on with the files of before, and ignores a half-written one and those with another ending', () => {
  open().write('old', 'first')
  writeFileSync(join(path, 'new.txt'), 'second')
  for (const name of ['.new', 'x.json', '.hidden.txt']) writeFileSync(join(path, name), 'sec')
  utimesSync(join(path, 'old.txt'), 1, 1)
  const folder = open()
  expect(folder.names()).toEqual(['old', 'new'])
  folder.append('old', ' and more')
  expect([folder.read('old'), folder.names()]).toEqual(['first and more', ['new', 'old']])
  expect(statSync(join(path, 'old.txt')).mode & 0o777).toBe(0o600)
})

it('reads the half of a text that a failed append left in a new file', () => {
  const folder = open()
  folder.write('other', 'x')
  writeFileSync(join(path, 'half.txt'), 'hal')
  expect([folder.read('half'), folder.read('none')]).toEqual(['hal', null])
  folder.write('half', 'whole')
  expect([folder.read('half'), folder.bytesOf('half')]).toEqual(['whole', 5])
})

it('refuses names that lead elsewhere', () => {
  for (const name of ['../x', '.hidden', 'a/b', '', 'x'.repeat(300)]) {
    expect(() => open().write(name, 'x')).toThrow('is no name of a file here')
  }
})
