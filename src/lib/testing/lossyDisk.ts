import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Disk } from '../disk.ts'

/** Content of a file; `null`: it is a folder. */
type Entry = string | null
export type Entries = ReadonlyMap<string, Entry>

/** A folder whose names are on disk only when they were synced, as POSIX allows. Everything in it at first is on disk. */
export class LossyDisk implements Disk {
  readonly #root: string
  #durable: Map<string, Entry>

  constructor(root: string) {
    this.#root = root
    this.#durable = entriesBelow(root)
  }

  create(path: string, content: string): void {
    writeFileSync(path, content, { flag: 'wx' })
  }
  rename(from: string, to: string): void {
    renameSync(from, to)
  }
  remove(path: string): void {
    rmSync(path, { force: true })
  }
  makeFolder(path: string): void {
    mkdirSync(path, { recursive: true })
  }
  syncFolder(path: string): void {
    for (const name of this.#durable.keys()) if (dirname(name) === path) this.#durable.delete(name)
    for (const name of readdirSync(path)) {
      const entry = join(path, name)
      this.#durable.set(entry, contentOf(entry))
    }
  }
  syncAll(): void {
    this.#durable = entriesBelow(this.#root)
  }

  get content(): Entries {
    return entriesBelow(this.#root)
  }

  /** Replaces everything, durably. */
  restore(content: Entries): void {
    replace(this.content, content)
    this.#durable = new Map(content)
  }

  /** Loses power: of each change that is not on disk, `survives` says whether it survives. */
  losePower(survives: () => boolean): void {
    const present = entriesBelow(this.#root)
    const left = new Map<string, Entry>()
    // Folders come before their content.
    for (const path of [...new Set([...this.#durable.keys(), ...present.keys()])].toSorted()) {
      const isSame = present.has(path) && present.get(path) === this.#durable.get(path)
      const from = isSame || survives() ? present : this.#durable
      const entry = from.get(path)
      if (entry !== undefined && (dirname(path) === this.#root || left.has(dirname(path)))) left.set(path, entry)
    }
    replace(present, left)
    this.#durable = left
  }
}

/** Folders come before their content. */
function replace(present: Entries, wanted: Entries): void {
  for (const [path, entry] of [...present].toReversed())
    if (wanted.get(path) !== entry) rmSync(path, { recursive: true, force: true })
  for (const [path, entry] of wanted)
    if (entry === null) mkdirSync(path, { recursive: true })
    else if (!existsSync(path)) writeFileSync(path, entry)
}

const contentOf = (path: string): Entry => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function entriesBelow(root: string): Map<string, Entry> {
  const all = readdirSync(root, { recursive: true, withFileTypes: true })
  const paths = all.map((entry) => join(entry.parentPath, entry.name)).toSorted()
  return new Map(paths.map((path) => [path, contentOf(path)]))
}
