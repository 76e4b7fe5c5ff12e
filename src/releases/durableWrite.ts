import { open, rename, rm } from 'node:fs/promises'

/** Writes a temporary file, syncs it and renames it: at any moment the old file or the new file exists completely. */
export async function writeDurably(path: string, temporary: string, bytes: Uint8Array | string): Promise<void> {
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
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
