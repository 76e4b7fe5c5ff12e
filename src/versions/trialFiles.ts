import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../lib/durableFile.ts'
import { readJson } from '../lib/durableJson.ts'
import { makeFolder } from '../lib/makeFolder.ts'

const commandLine = z.array(z.string())

/** A change of program that was begun and is not over. `null` as a command line: as installed. */
const trialSchema = z.object({
  key: z.string(),
  unit: z.string(),
  to: commandLine.nullable(),
  from: commandLine.nullable(),
  withinMs: z.number(),
  /** What changes with it, and is ended: whoever asks it starts it again. */
  also: z
    .object({ unit: z.string(), to: commandLine.nullable(), from: commandLine.nullable().default(null) })
    .optional(),
})
const confirmedSchema = z.object({ key: z.string() })
const failedSchema = z.object({ key: z.string(), reason: z.string() })

export type Trial = z.infer<typeof trialSchema>
export type Failed = z.infer<typeof failedSchema>

/**
 * What a part and its trial tell each other, below the part's data folder. The trial decides by `failed.json`; the new
 * program answers by `confirmed.json`; each file is replaced whole, so a kill leaves a state that can be gone on from.
 */
export class TrialFiles {
  readonly folder: string

  constructor(data: string) {
    this.folder = join(data, 'program')
    makeFolder(this.folder)
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
    rmSync(this.#path('trial'), { force: true })
  }

  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const known = readJson(this.#path(name))
    return known === null ? null : schema.parse(known)
  }

  #write(name: string, value: object): void {
    // A part that is not root reads them, where the folder lets it.
    writeFileDurably(this.#path(name), `${JSON.stringify(value)}\n`, 0o644)
  }

  #path(name: string): string {
    return join(this.folder, `${name}.json`)
  }
}
