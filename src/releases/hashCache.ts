import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../lib/hash.ts'
import { randomId } from '../lib/ids.ts'
import { writeDurably } from './durableWrite.ts'
import type { FileHash } from './fileHashing.ts'
import type { WalkedFile } from './folderWalk.ts'

/** Hashes of a folder's files at the last push, kept in the user's cache folder, never in the project. */
export interface HashCache {
  find(file: WalkedFile): FileHash | undefined
  /** Replaces the stored hashes by the current ones. */
  keep(hashes: ReadonlyMap<WalkedFile, FileHash>): Promise<void>
}

export const noHashCache: HashCache = { find: () => undefined, keep: () => Promise.resolve() }

const shape = z.object({
  version: z.literal(1),
  files: z.record(z.string(), z.tuple([z.string(), z.string(), z.array(z.tuple([z.string(), z.number()])).nullable()])),
})

/**
 * A file changed this shortly before it was hashed may change again with the same times; it is hashed again next time.
 */
const settledNs = 2_000_000_000n

/** The cache of one folder. `nowMs` is the wall clock before the walk. An unreadable cache counts as empty. */
export async function openHashCache(cacheFolder: string, root: string, nowMs: number): Promise<HashCache> {
  const path = join(cacheFolder, `hashes-${sha256(root).slice(0, 24)}.json`)
  const known = await readKnown(path)
  const settledBefore = BigInt(Math.floor(nowMs)) * 1_000_000n - settledNs
  return {
    find(file) {
      const entry = known[file.path]
      return entry?.[0] === file.fingerprint ? { sha256: entry[1], chunks: entry[2] } : undefined
    },
    async keep(hashes) {
      const settled = [...hashes].filter(([file]) => file.changedAtNs < settledBefore)
      const files = settled.map(([file, hash]) => [file.path, [file.fingerprint, hash.sha256, hash.chunks]] as const)
      await mkdir(cacheFolder, { recursive: true, mode: 0o700 })
      const text = JSON.stringify({ version: 1, files: Object.fromEntries(files) })
      await writeDurably(path, `${path}.${randomId()}`, text)
    },
  }
}

async function readKnown(path: string): Promise<z.infer<typeof shape>['files']> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {} // node:fs throws only such errors
    throw new Error(`cannot read the cache ${path}`, { cause: error })
  }
  try {
    return shape.parse(JSON.parse(text)).files
  } catch {
    return {} // a cache may be lost at any time: every file is hashed again
  }
}
