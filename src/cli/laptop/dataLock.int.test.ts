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

/** Takes the lock, tells what is written in it, and gives it back. */
function takenBy(): unknown {
  const lock = DataLock.take(folder)
  const { pid } = JSON.parse(readFileSync(lockFile(), 'utf8')) as { pid: unknown } // what the lock writes
  lock.release()
  return pid
}

const lockedBy = (holder: unknown): void => writeFileSync(lockFile(), `${JSON.stringify(holder)}\n`)

it('is held against a second, and free again after', () => {
  const lock = DataLock.take(folder)
  expect(() => DataLock.take(folder)).toThrow(expect.objectContaining({ code: 'E_DATA_LOCKED', subject: folder }))
  lock.release()
  DataLock.take(folder).release()
  expect(readdirSync(folder)).toEqual([])
})

it('is held by another process as long as that runs, and taken over when it was killed', async () => {
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

it('is taken over when its process number was given to another process since', () => {
  lockedBy({ pid: process.pid, startedAt: 'another boot/1' })
  expect(takenBy()).toBe(process.pid)
})

it.each(['', 'half a li', '{"pid":"x"}', 'null'])('is taken over when it holds no process: %j', (content) => {
  writeFileSync(lockFile(), content)
  expect(takenBy()).toBe(process.pid)
})

it('is not released for somebody who took it over', () => {
  const lock = DataLock.take(folder)
  lockedBy({ pid: 1, startedAt: 'of another' })
  lock.release()
  expect(existsSync(lockFile())).toBe(true)
})

it('knows that a process is itself, and that none has number 2^30', () => {
  expect(identityOf(process.pid)).toEqual(identityOf(process.pid))
  expect(identityOf(2 ** 30)).toBeNull()
})
