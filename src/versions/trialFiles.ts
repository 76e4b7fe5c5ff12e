import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { nodeDisk, type Disk } from '../lib/disk.ts'
import { makeFolderDurably, removeFileDurably, writeFileDurably } from '../lib/durableFile.ts'
import { readJson } from '../lib/durableJson.ts'
import { programsFolder } from '../layout/dataFolder.ts'

const commandLine = z.array(z.string())

/** A change of program that has begun and not ended. As a command line, `null` means the installed program. */
const trialSchema = z.object({
  key: z.string(),
  unit: z.string(),
  to: commandLine.nullable(),
  from: commandLine.nullable(),
  /** The longest time without progress. */
  withinMs: z.number(),
  /** A unit that is changed together with the part and killed: its client restarts it. */
  also: z
    .object({ unit: z.string(), to: commandLine.nullable(), from: commandLine.nullable().default(null) })
    .optional(),
})
const confirmedSchema = z.object({ key: z.string() })
const failedSchema = z.object({ key: z.string(), reason: z.string() })

export type Trial = z.infer<typeof trialSchema>
export type Failed = z.infer<typeof failedSchema>

/**
 * Files below the part's data folder through which a part and its trial communicate. The trial decides with
 * `failed.json`; the new program confirms with `confirmed.json`. Each file is replaced as a whole, so that the work can
 * continue after a kill.
 */
export class TrialFiles {
  readonly folder: string
  readonly #disk: Disk

  constructor(data: string, disk = nodeDisk) {
    this.folder = programsFolder(data)
    this.#disk = disk
    makeFolderDurably(this.folder, 0o700, disk)
  }

  get trial(): Trial | null {
    return this.#read('trial', trialSchema)
  }

  get confirmed(): string | null {
    return this.#read('confirmed', confirmedSchema)?.key ?? null
  }

  get failed(): Failed | null {
    return this.#read('failed', failedSchema)
  }

  /** How far the program on trial has come, as text that only its writer understands. The trial waits while it changes. */
  get progress(): string {
    return this.#progress
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile())
      .map((path) => readFileSync(path, 'utf8'))
      .join('')
  }

  /** Need not survive a loss of power, and must not wait for a slow disk. */
  progressed(text: string): void {
    for (const path of this.#progress) {
      try {
        writeFileSync(path, text)
        return
      } catch {
        // Only root may write the first one. On a full disk the program may still start in time.
      }
    }
  }

  begin(trial: Trial): void {
    this.#write('trial', trial)
  }

  confirm(key: string): void {
    this.#write('confirmed', { key })
  }

  fail(failed: Failed): void {
    this.#write('failed', failed)
  }

  end(): void {
    removeFileDurably(this.#path('trial'), this.#disk)
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const known = readJson(this.#path(name))
    return known === null ? null : schema.parse(known)
  }

  #write(name: string, value: object): void {
    // An unprivileged part reads the files, if the permissions of the folder allow it.
    writeFileDurably(this.#path(name), `${JSON.stringify(value)}\n`, 0o644, this.#disk)
  }

  /** The place that older versions read as well, and the one of a program that is not root. */
  get #progress(): string[] {
    return [this.folder, dirname(this.folder)].map((folder) => join(folder, 'progress.txt'))
  }

  #path(name: string): string {
    return join(this.folder, `${name}.json`)
  }
}
