import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { programsFolder } from '../layout/dataFolder.ts'
import { nodeDisk, type Disk } from '../lib/disk.ts'
import { makeFolderDurably, removeFileDurably, writeFileDurably } from '../lib/durableFile.ts'

const names = z.array(z.string())
/** Parts of earlier programs that a return can make again. The oldest are removed, those of the installed program never. */
const mostSaved = 10

/** The parts that a version of Tandem has set up here; older versions have left no record. */
const recordSchema = z.object({
  version: z.string(),
  digest: z.string(),
  /** The program that has set them up, as in `programSchema`; `null`: a build that did not record it. */
  program: z.string().nullable().default(null),
  users: names,
  groups: names,
  folders: names,
  units: names,
})

const unitSchema = z.object({ text: z.string(), isEnabled: z.boolean(), command: names.nullable() })
const folderSchema = z.object({
  mode: z.number(),
  uid: z.number(),
  gid: z.number(),
  /** A user who was removed and is created again may have another number. `null`: the number has no name. */
  owner: z.string().nullable().default(null),
  group: z.string().nullable().default(null),
})
/** Exactly what was on the machine: `null` and `false` mean that it was not there. */
const stateSchema = z.object({
  record: recordSchema.nullable(),
  units: z.record(z.string(), unitSchema.nullable()),
  users: z.record(z.string(), z.boolean()),
  groups: z.record(z.string(), z.boolean()),
  folders: z.record(z.string(), folderSchema.nullable()),
})

/** Names that a change made unnecessary. They are removed at its end, because it may be undone until then. */
const leftoverSchema = z.object({
  users: names,
  groups: names,
  folders: names,
  /** True if the folders are removed with their content. */
  whole: z.boolean(),
})

const programSchema = z.object({
  /** `installed`, or a release. */
  id: z.string(),
  version: z.string().nullable(),
})

/** A change that has begun and not ended. */
const changeSchema = z.object({
  /** Key of the trial during which it happens; `null`: there is none. */
  key: z.string().nullable(),
  /** The program that ran before; `null`: a package has replaced it, so nothing returns to it. */
  from: programSchema.nullable(),
  /** The program that is installed. */
  base: programSchema.nullable().default(null),
  before: stateSchema,
  leftover: leftoverSchema,
  /** Units whose text it has changed: written before the first of them, because all of them must take up their text. */
  touched: names,
})
const savedSchema = z.object({
  key: z.string().nullable(),
  version: z.string().nullable(),
  /** Grows with each saved state. */
  number: z.number().default(0),
  state: stateSchema,
})

export type PartsRecord = z.infer<typeof recordSchema>
export type PartsState = z.infer<typeof stateSchema>
export type Leftover = z.infer<typeof leftoverSchema>
export type Program = z.infer<typeof programSchema>
type Change = z.infer<typeof changeSchema>
type Saved = z.infer<typeof savedSchema>

/** Name under which the parts of the installed program are saved. */
export const installed = 'installed'

/** Files in a folder that only root can write; each is replaced as a whole, so that work can continue after a kill. */
export class PartsFiles {
  readonly #folder: string
  readonly #disk: Disk

  constructor(data: string, disk = nodeDisk) {
    this.#folder = programsFolder(data)
    this.#disk = disk
  }

  get record(): PartsRecord | null {
    return this.#read('parts.json', recordSchema)
  }

  set record(record: PartsRecord | null) {
    this.#write('parts.json', record)
  }

  get change(): Change | null {
    return this.#read('parts-change.json', changeSchema)
  }

  set change(change: Change | null) {
    this.#write('parts-change.json', change)
  }

  /** The parts as they were when that program ran last, or else another one of its version. */
  saved({ id, version }: Program): Saved | null {
    const exact = this.#read(nameOf(id), savedSchema)
    // Another package may have replaced the installed program.
    if (version === null || exact?.version === version) return exact
    return this.#all().find(({ saved }) => saved.version === version)?.saved ?? null
  }

  save({ id, version }: Program, { key, state }: Pick<Saved, 'key' | 'state'>): void {
    const number = (this.#all()[0]?.saved.number ?? 0) + 1
    this.#write(nameOf(id), { version, key, number, state })
    for (const { name } of this.#all().slice(mostSaved)) if (name !== nameOf(installed)) this.#write(name, null)
  }

  /** The newest first. */
  #all(): { name: string; saved: Saved }[] {
    const folder = join(this.#folder, savedFolder)
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
    return files
      .flatMap((file) => {
        const name = `${savedFolder}/${file}`
        const saved = this.#read(name, savedSchema)
        return saved ? [{ name, saved }] : []
      })
      .toSorted((one, other) => other.saved.number - one.saved.number)
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const path = join(this.#folder, name)
    return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : null
  }

  #write(name: string, value: object | null): void {
    const path = join(this.#folder, name)
    if (value === null) return removeFileDurably(path, this.#disk)
    makeFolderDurably(dirname(path), 0o700, this.#disk)
    // An unprivileged part reads the record.
    writeFileDurably(path, `${JSON.stringify(value)}\n`, 0o644, this.#disk)
  }
}

const savedFolder = 'parts-of'
const nameOf = (id: string): string => `${savedFolder}/${id}.json`
