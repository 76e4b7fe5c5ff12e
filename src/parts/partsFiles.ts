import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { programsFolder } from '../layout/dataFolder.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { makeFolder } from '../lib/makeFolder.ts'

const names = z.array(z.string())

/** The parts that a version of Tandem has set up here; older versions have left no record. */
const recordSchema = z.object({
  version: z.string(),
  digest: z.string(),
  users: names,
  groups: names,
  folders: names,
  units: names,
})

const unitSchema = z.object({ text: z.string(), isEnabled: z.boolean(), command: names.nullable() })
const folderSchema = z.object({ mode: z.number(), uid: z.number(), gid: z.number() })
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
  before: stateSchema,
  leftover: leftoverSchema,
  /** Units whose text it has changed: written before the first of them, because all of them must take up their text. */
  touched: names,
})
const savedSchema = z.object({ key: z.string().nullable(), version: z.string().nullable(), state: stateSchema })

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

  constructor(data: string) {
    this.#folder = programsFolder(data)
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
    const exact = this.#read(`parts-of/${id}.json`, savedSchema)
    // Another package may have replaced the installed program.
    if (version === null || exact?.version === version) return exact
    const folder = join(this.#folder, 'parts-of')
    const all = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
    return (
      all.map((name) => this.#read(`parts-of/${name}`, savedSchema)).find((one) => one?.version === version) ?? null
    )
  }

  /** Keeps those of this program and of the installed one. */
  save({ id, version }: Program, saved: Omit<Saved, 'version'>): void {
    const folder = join(this.#folder, 'parts-of')
    this.#write(`parts-of/${id}.json`, { version, ...saved })
    for (const name of readdirSync(folder))
      if (![id, installed].includes(name.replace('.json', ''))) rmSync(join(folder, name), { force: true })
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const path = join(this.#folder, name)
    return existsSync(path) ? schema.parse(JSON.parse(readFileSync(path, 'utf8'))) : null
  }

  #write(name: string, value: object | null): void {
    const path = join(this.#folder, name)
    // An unprivileged part reads the record.
    if (value === null) return rmSync(path, { force: true })
    makeFolder(dirname(path))
    writeFileDurably(path, `${JSON.stringify(value)}\n`, 0o644)
  }
}
