import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The part of a project that a detector sees. */
export interface Folder {
  /** True for a file or folder of that name directly in the project. */
  has(name: string): boolean
  /** The names directly in the project, sorted. */
  readonly names: readonly string[]
  /** The names in a folder of the project, sorted; none where there is no such folder. */
  list(name: string): Promise<readonly string[]>
  /** The start of a text file, by its path inside the project; `null` when there is no readable file. */
  read(name: string): Promise<string | null>
}

/** Manifests are small; a larger one is read only in part, and then counts as malformed. */
const mostBytes = 256 * 1024

export async function openFolder(dir: string): Promise<Folder> {
  const names = (await readdir(dir)).sort()
  const present = new Set(names)
  return {
    names,
    has: (name) => present.has(name),
    list: (name) =>
      readdir(join(dir, name)).then(
        (below) => below.sort(),
        () => [],
      ),
    read: (name) => readStart(join(dir, name)),
  }
}

/**
 * A manifest that is a folder, a broken link or unreadable counts as absent: other files may still identify the
 * project.
 */
async function readStart(path: string): Promise<string | null> {
  try {
    await using file = await open(path, 'r')
    if (!(await file.stat()).isFile()) return null
    const buffer = Buffer.alloc(mostBytes)
    const { bytesRead } = await file.read(buffer, 0, mostBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return null
  }
}
