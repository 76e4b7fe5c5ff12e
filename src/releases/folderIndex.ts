import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { randomId } from '../lib/ids.ts'
import { writeDurably } from './durableWrite.ts'

/**
 * What a release's folder looked like when it was last known to be sound. File contents are not synced to disk one by
 * one; an index made before the machine's last boot is not believed, and every file is hashed.
 */
export interface FolderIndex {
  bootId: string
  /** Of all files. */
  bytes: number
  /** By path. */
  fingerprints: Record<string, string>
}

const shape = z.object({
  version: z.literal(1),
  bootId: z.string(),
  bytes: z.number(),
  fingerprints: z.record(z.string(), z.string()),
})

export async function writeIndex(path: string, index: FolderIndex): Promise<void> {
  await writeDurably(path, `${path}.${randomId()}`, JSON.stringify({ version: 1, ...index }))
}

/** `null` when there is none or it cannot be read: the folder is then hashed. */
export async function readIndex(path: string): Promise<FolderIndex | null> {
  try {
    return shape.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
