import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readJson, writeJsonDurably } from './durableJson.ts'

let folder: string
let path: string
beforeEach(() => {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, 'durable-'))
  path = join(folder, 'file.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('reads the written value, returns null if there is no file, and names a damaged file', () => {
  expect(readJson(path)).toBeNull()
  writeJsonDurably(path, { a: [1, 'ü'] })
  expect(readJson(path)).toEqual({ a: [1, 'ü'] })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  writeFileSync(path, '{"a":')
  expect(() => readJson(path)).toThrow(path)
})

it('does not treat an inaccessible file as missing', () => {
  symlinkSync(path, path)
  expect(() => readJson(path)).toThrow(`cannot read ${path}`)
})

it('replaces the whole file, also over the rest of a killed write', () => {
  writeFileSync(`${path}.new`, 'half of something much longer than what comes')
  writeJsonDurably(path, { b: 2 })
  expect(readFileSync(path, 'utf8')).toBe('{"b":2}\n')
})

it.skipIf(process.getuid?.() === 0)(
  'keeps the old file if the new one cannot be written (root may write anywhere)',
  () => {
    writeJsonDurably(path, { old: true })
    chmodSync(folder, 0o500)
    expect(() => writeJsonDurably(path, { old: false })).toThrow('EACCES')
    chmodSync(folder, 0o700)
    expect(readJson(path)).toEqual({ old: true })
  },
)
