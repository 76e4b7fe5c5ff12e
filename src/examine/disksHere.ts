import { existsSync, statfsSync, statSync } from 'node:fs'
import type { Disk } from '../doctor/machineFacts.ts'

/** The file systems that these folders are on, each once, by the first folder named. */
export function disksHere(folders: string[]): Disk[] {
  const seen = new Set<number>()
  return folders.filter(existsSync).flatMap((path) => {
    const { dev } = statSync(path)
    if (seen.has(dev)) return []
    seen.add(dev)
    const { bsize, blocks, bavail, files, ffree } = statfsSync(path)
    const bytes = { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    return [{ path, ...bytes, freeInodes: ffree, totalInodes: files }]
  })
}
