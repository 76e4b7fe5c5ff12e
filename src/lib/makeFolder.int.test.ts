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

  it('makes those above it too, for this user only, and is content when it is there', () => {
    const path = join(base, 'a/b/c')
    makeFolder(path)
    makeFolder(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(join(base, 'a')).mode & 0o777).toBe(0o700)
  })

  it('says what is in the way', () => {
    writeFileSync(join(base, 'file'), '')
    expect(() => makeFolder(join(base, 'file'))).toThrow('EEXIST')
    expect(() => makeFolder(join(base, 'file/below'))).toThrow('ENOTDIR')
  })

  it.skipIf(process.platform !== 'linux')('ends where none can be made: /proc is only on Linux', () => {
    expect(() => makeFolder('/proc/tandem/data')).toThrow(/ENOENT|EACCES/)
  })
})
