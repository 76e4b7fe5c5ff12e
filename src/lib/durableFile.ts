import { closeSync, constants, existsSync, fdatasyncSync, openSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { nodeDisk, type Disk } from './disk.ts'

/**
 * Replaces a file as a whole and durably: a crash or a full disk at any point leaves either the old content or the new.
 */
export function writeFileDurably(path: string, content: string, mode = 0o600, disk: Disk = nodeDisk): void {
  stageFile(path, content, mode, disk)()
}

/** The same in two steps: the content is on disk beside the file, and the call that this returns replaces the file. */
export function stageFile(path: string, content: string, mode = 0o600, disk: Disk = nodeDisk): () => void {
  const temporary = staged(path)
  disk.remove(temporary) // a leftover file may have another mode
  disk.create(temporary, content, mode)
  return () => {
    disk.rename(temporary, path)
    // The new name is on disk only once its folder is synced.
    disk.syncFolder(dirname(path))
  }
}

/** Whether somebody has begun to replace the file, and has not finished. */
export const isStaged = (path: string): boolean => existsSync(staged(path))

const staged = (path: string): string => `${path}.new`

/** Removes a file so that a loss of power does not bring it back. A missing file is no error. */
export function removeFileDurably(path: string, disk: Disk = nodeDisk): void {
  if (!existsSync(dirname(path))) return
  disk.remove(path)
  disk.syncFolder(dirname(path))
}

/** Makes a folder and its parents, so that a loss of power leaves what is written in it. Existing ones stay as they are. */
export function makeFolderDurably(path: string, mode = 0o700, disk: Disk = nodeDisk): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  makeFolderDurably(parent, mode, disk)
  disk.makeFolder(path, mode)
  disk.syncFolder(parent)
}

/**
 * Adds content to a file that was written durably. It is on disk afterwards; a crash or a full disk may leave a part of
 * it. A missing file is an error.
 */
export function appendDurably(path: string, content: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_APPEND)
  try {
    writeFileSync(file, content)
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
}
