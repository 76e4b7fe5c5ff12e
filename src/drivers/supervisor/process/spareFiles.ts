import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Number of files kept at most, one block each. */
const mostSpares = 256

/** Unused files that keep their disk space: a new record that reuses such a file needs no free space. */
export interface SpareFiles {
  /** Moves a spare file to `path`, whatever its content; returns `false` if there is none. */
  take(path: string): boolean
  /** Keeps the file at `path`, or removes it if there are enough spare files. A missing file is no error. */
  give(path: string): void
}

export function openSpareFiles(folder: string): SpareFiles {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {
    // The disk was full when this folder had to be created for the first time.
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
