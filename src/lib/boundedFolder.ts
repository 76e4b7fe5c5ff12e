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

interface Options {
  /** Ends the name of each file; files with another ending are ignored. */
  ending: string
  /** Most files. */
  files: number
  /** Most bytes of all files. */
  bytes: number
}

const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/
/** No file here has this name, because it begins with a dot. */
const temporary = '.new'

/**
 * Files of one folder that are good to have and may be lost: beyond its limits, the files that were written longest ago
 * are removed. A file replaced by `write` is always whole, one that `append` extends may end in the middle of its last
 * text after a crash. Nothing waits for the disk, and the folder is made with its first file: a full disk stops no
 * start.
 */
export class BoundedFolder {
  readonly #path: string
  readonly #options: Options
  /** Sizes in bytes, longest unwritten first. */
  readonly #files = new Map<string, number>()
  #bytes = 0

  constructor(path: string, options: Options) {
    this.#path = path
    this.#options = options
    const { ending } = options
    const found = entriesOf(path).flatMap((entry) => {
      const name = entry.name.slice(0, -ending.length)
      if (!entry.isFile() || name + ending !== entry.name || !fileName.test(name)) return []
      const { size, mtimeMs } = statSync(join(path, entry.name))
      return [{ name, size, mtimeMs }]
    })
    for (const { name, size } of found.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) this.#put(name, size)
    this.#trim()
  }

  /** Without their ending; longest unwritten first. */
  names(): string[] {
    return [...this.#files.keys()]
  }

  bytesOf(name: string): number | null {
    return this.#files.get(name) ?? null
  }

  /** From the disk, where a failed `append` may have left the begin of its text. `null`: there is no such file. */
  read(name: string): string | null {
    try {
      return readFileSync(this.#pathOf(name), 'utf8')
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  }

  /** Replaces the file. */
  write(name: string, text: string): void {
    const [path, half] = [this.#pathOf(name), join(this.#path, temporary)]
    makeFolder(this.#path)
    writeFileSync(half, text, { mode: 0o600 })
    renameSync(half, path)
    this.#put(name, Buffer.byteLength(text))
    this.#trim()
  }

  /** Adds to the file. */
  append(name: string, text: string): void {
    const path = this.#pathOf(name)
    makeFolder(this.#path)
    appendFileSync(path, text, { mode: 0o600 })
    this.#put(name, (this.#files.get(name) ?? 0) + Buffer.byteLength(text))
    this.#trim()
  }

  #pathOf(name: string): string {
    if (!fileName.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a file here`)
    return join(this.#path, name + this.#options.ending)
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
    const { files, bytes } = this.#options
    for (const name of this.#files.keys()) {
      if (this.#files.size <= files && this.#bytes <= bytes) break
      rmSync(this.#pathOf(name), { force: true })
      this.#drop(name)
    }
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
