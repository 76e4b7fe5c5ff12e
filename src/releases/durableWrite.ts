import { closeSync, fsync, openSync, renameSync, rmSync, writeFile, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Up to this size, a turn of a thread for each step of a file costs more than the step, except for the sync. */
export const smallFileBytes = 16 * 1024

const [sync, write] = [promisify(fsync), promisify(writeFile)]

/** Writes a temporary file, syncs it and renames it: at any moment the old file or the new file exists completely. */
export async function writeDurably(path: string, temporary: string, bytes: Uint8Array | string): Promise<void> {
  try {
    const file = openSync(temporary, 'wx', 0o600)
    try {
      if (bytes.length <= smallFileBytes) writeFileSync(file, bytes)
      else await write(file, bytes)
      await sync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Makes the names in a folder durable: a rename is durable only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
