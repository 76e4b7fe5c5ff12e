import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Dirent,
} from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './makeFolder.ts'

interface Limits {
  files: number
  bytes: number
}

const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,240}$/
const temporary = '.new'

/**
 * Files of one folder that are good to have and may be lost: beyond its limits, the files that were written longest ago
 * are removed. A file replaced by `write` is always whole, one that `append` extends may end in the middle of its last
 * text after a crash. Nothing waits for the disk, and the folder is made with its first file: a full disk stops no
 * start.
 */
export class BoundedFolder {
  readonly #path: string
  readonly #limits: Limits
  /** Sizes in bytes, longest unwritten first. */
  readonly #files = new Map<string, number>()
  #bytes = 0

  constructor(path: string, limits: Limits) {
    this.#path = path
    this.#limits = limits
    const found = entriesOf(path).flatMap((entry) => {
      if (!entry.isFile() || entry.name.endsWith(temporary)) return []
      const { size, mtimeMs } = statSync(join(path, entry.name))
      return [{ name: entry.name, size, mtimeMs }]
    })
    for (const { name, size } of found.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) this.#put(name, size)
    this.#trim()
  }

  /** Longest unwritten first. */
  names(): string[] {
    return [...this.#files.keys()]
  }

  bytesOf(name: string): number | null {
    return this.#files.get(name) ?? null
  }

  /** `null`: there is no such file. */
  read(name: string): string | null {
    if (!this.#files.has(name)) return null
    try {
      return readFileSync(join(this.#path, name), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }

  /** Replaces the file. */
  write(name: string, text: string): void {
    const path = this.#pathOf(name)
    makeFolder(this.#path)
    writeFileSync(path + temporary, text, { mode: 0o600 })
    renameSync(path + temporary, path)
    this.#put(name, Buffer.byteLength(text))
    this.#trim()
  }

  /** Adds to the file. */
  append(name: string, text: string): void {
    makeFolder(this.#path)
    appendFileSync(this.#pathOf(name), text, { mode: 0o600 })
    this.#put(name, (this.#files.get(name) ?? 0) + Buffer.byteLength(text))
    this.#trim()
  }

  #pathOf(name: string): string {
    if (!fileName.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a file here`)
    return join(this.#path, name)
  }

  #put(name: string, bytes: number): void {
    this.#drop(name)
    this.#files.set(name, bytes)
    this.#bytes += bytes
  }

  #drop(name: string): void {
    this.#bytes -= this.#files.get(name) ?? 0
    this.#files.delete(name)
  }

  #trim(): void {
    for (const name of this.#files.keys()) {
      if (this.#files.size <= this.#limits.files && this.#bytes <= this.#limits.bytes) break
      rmSync(join(this.#path, name), { force: true })
      this.#drop(name)
    }
  }
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
