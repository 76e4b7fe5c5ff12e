import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Disk } from './disk.ts'
import { isStaged, makeFolderDurably, removeFileDurably, stageFile, writeFileDurably } from './durableFile.ts'
import { LossyDisk } from './testing/lossyDisk.ts'

function lab(): { folder: string; disk: LossyDisk } {
  const parent = join(import.meta.dirname, '../../tmp')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'lossy-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'there'), 'old')
  return { folder, disk: new LossyDisk(folder) }
}

/** Stops before the n-th call. */
function stoppingAt(disk: Disk, at: number): Disk {
  let left = at
  const call = (effect: () => void): void => {
    if (left-- === 0) throw new Error('stopped')
    effect()
  }
  return {
    create: (path, content, mode) => call(() => disk.create(path, content, mode)),
    rename: (from, to) => call(() => disk.rename(from, to)),
    remove: (path) => call(() => disk.remove(path)),
    makeFolder: (path, mode) => call(() => disk.makeFolder(path, mode)),
    syncFolder: (path) => call(() => disk.syncFolder(path)),
  }
}

it.each([true, false])(
  'a write that loses power at any call leaves the old content or the new (unsynced changes survive: %s)',
  (survives) => {
    for (let at = 0; at < 6; at++) {
      const { folder, disk } = lab()
      const path = join(folder, 'there')
      let isWhole = true
      try {
        writeFileDurably(path, 'new', 0o600, stoppingAt(disk, at))
      } catch {
        isWhole = false
      }
      disk.losePower(() => survives)
      expect(isWhole ? ['new'] : ['old', 'new']).toContain(readFileSync(path, 'utf8'))
      writeFileDurably(path, 'newer', 0o600, disk)
      expect(readFileSync(path, 'utf8')).toBe('newer')
    }
  },
)

it('a staged file changes nothing until it replaces the other, and is seen after a loss of power', () => {
  const { folder, disk } = lab()
  const path = join(folder, 'there')
  stageFile(path, 'never', 0o600, disk)
  disk.losePower(() => true)
  expect([readFileSync(path, 'utf8'), isStaged(path)]).toEqual(['old', true])
  const replace = stageFile(path, 'new', 0o600, disk)
  expect(readFileSync(path, 'utf8')).toBe('old')
  replace()
  disk.losePower(() => false)
  expect([readFileSync(path, 'utf8'), isStaged(path)]).toEqual(['new', false])
})

it('what was made or removed durably stays so when everything that was not synced is lost', () => {
  const { folder, disk } = lab()
  const deep = join(folder, 'one/two')
  makeFolderDurably(deep, 0o700, disk)
  writeFileDurably(join(deep, 'file'), 'kept', 0o600, disk)
  removeFileDurably(join(folder, 'there'), disk)
  removeFileDurably(join(folder, 'missing/file'), disk)
  disk.losePower(() => false)
  expect(readFileSync(join(deep, 'file'), 'utf8')).toBe('kept')
  expect(readdirSync(folder)).toEqual(['one'])
})
