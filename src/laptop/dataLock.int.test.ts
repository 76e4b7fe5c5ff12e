import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DataLock } from './dataLock.ts'
import { identityOf } from './processIdentity.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lockFile = (): string => join(folder, 'up.lock')

/** Takes the lock, returns the content of its file, and releases the lock. */
function takenBy(): unknown {
  const lock = DataLock.take(folder)
  const { pid } = JSON.parse(readFileSync(lockFile(), 'utf8')) as { pid: unknown } // what the lock writes
  lock.release()
  return pid
}

const lockedBy = (holder: unknown): void => writeFileSync(lockFile(), `${JSON.stringify(holder)}\n`)

it('refuses a second holder, and is free after release', () => {
  const lock = DataLock.take(folder)
  expect(() => DataLock.take(folder)).toThrow(expect.objectContaining({ code: 'E_DATA_LOCKED', subject: folder }))
  lock.release()
  DataLock.take(folder).release()
  expect(readdirSync(folder)).toEqual([])
})

it('is held by another process while that runs, and taken over after that was killed', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  try {
    await once(other, 'spawn')
    lockedBy(identityOf(other.pid ?? 0))
    expect(() => DataLock.take(folder)).toThrow(`process ${other.pid}`)
  } finally {
    other.kill('SIGKILL')
    await once(other, 'exit')
  }
  DataLock.take(folder).release()
})

it('is taken over if another process has the same pid since', () => {
  lockedBy({ pid: process.pid, startedAt: 'another boot/1' })
  expect(takenBy()).toBe(process.pid)
})

it.each(['', 'half a li', '{"pid":"x"}', 'null'])('is taken over if it names no process: %j', (content) => {
  writeFileSync(lockFile(), content)
  expect(takenBy()).toBe(process.pid)
})

it('is not released after another process took it over', () => {
  const lock = DataLock.take(folder)
  lockedBy({ pid: 1, startedAt: 'of another' })
  lock.release()
  expect(existsSync(lockFile())).toBe(true)
})

it('identifies its own process, and knows that no process has pid 2^30', () => {
  expect(identityOf(process.pid)).toEqual(identityOf(process.pid))
  expect(identityOf(2 ** 30)).toBeNull()
})
