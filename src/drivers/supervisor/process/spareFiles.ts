import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Kept at most, of a block each. */
const mostSpares = 256

/** Files that nobody needs any more, with their place on the disk: one that is written again needs no new place. */
export interface SpareFiles {
  /** Moves one to `path`, whatever it holds; `false`: there is none. */
  take(path: string): boolean
  /** Keeps the file at `path`, or removes it where there are enough. No error for one that is not there. */
  give(path: string): void
}

export function openSpareFiles(folder: string): SpareFiles {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    // The disk was full when this folder was to be made for the first time.
    return { take: () => false, give: (path) => rmSync(path, { force: true }) }
  }
  const names = new Set(readdirSync(folder))
  let next = 0
  return {
    take: (path) => {
      const [name] = names
      if (name === undefined) return false
      names.delete(name)
      renameSync(join(folder, name), path)
      return true
    },
    give: (path) => {
      if (names.size >= mostSpares) return rmSync(path, { force: true })
      while (names.has(String(next))) next++
      try {
        renameSync(path, join(folder, String(next)))
        names.add(String(next))
      } catch {
        rmSync(path, { force: true })
      }
    },
  }
}
