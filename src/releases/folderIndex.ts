import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { randomId } from '../lib/ids.ts'
import { writeDurably } from './durableWrite.ts'

/**
 * State of a release's folder when it was last verified. File contents are not synced to disk one by one, so an index
 * made before the machine's last boot is not trusted, and every file is hashed.
 */
export interface FolderIndex {
  bootId: string
  /** Bytes of all files. */
  bytes: number
  /** Fingerprints by path. */
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

/** Returns `null` if there is no readable index: the folder is then hashed. */
export async function readIndex(path: string): Promise<FolderIndex | null> {
  try {
    return shape.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
