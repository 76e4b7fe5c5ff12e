import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder } from './makeFolder.ts'

describe('making a folder', () => {
  let base: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'tandem-folder-'))
  })
  afterEach(() => rmSync(base, { recursive: true }))

  it('makes its parents too, for this user only, and accepts an existing folder', () => {
    const path = join(base, 'a/b/c')
    makeFolder(path)
    makeFolder(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(base, 'a')).mode & 0o777).toBe(0o700)
  })

  it('names the obstacle', () => {
    writeFileSync(join(base, 'file'), '')
    expect(() => makeFolder(join(base, 'file'))).toThrow('EEXIST')
    expect(() => makeFolder(join(base, 'file/below'))).toThrow('ENOTDIR')
  })

  it.skipIf(process.platform !== 'linux')('ends if no folder can be made: /proc exists only on Linux', () => {
    expect(() => makeFolder('/proc/tandem/data')).toThrow(/ENOENT|EACCES/)
  })
})
