import { existsSync, statfsSync, statSync } from 'node:fs'
import type { Disk } from '../doctor/machineFacts.ts'

/** The file systems of these folders, each once, under the first folder that is on it. */
export function disksHere(folders: { path: string; holds: Disk['holds'] }[]): Disk[] {
  const seen = new Set<number>()
  return folders
    .filter(({ path }) => existsSync(path))
    .flatMap(({ path, holds }) => {
      const { dev } = statSync(path)
      if (seen.has(dev)) return []
      seen.add(dev)
      const { bsize, blocks, bavail, files, ffree } = statfsSync(path)
      const bytes = { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
      return [{ path, holds, ...bytes, freeInodes: ffree, totalInodes: files }]
    })
}
