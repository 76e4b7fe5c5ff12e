import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Credential } from '../../drivers/supervisor/systemd/unitText.ts'
import { readJson, writeJsonDurably } from '../../lib/durableJson.ts'
import { makeFolderDurably, writeFileDurably } from '../../lib/durableFile.ts'
import { inParallel } from '../../lib/inParallel.ts'
import { sealed } from '../credentials.ts'
import { UnitLinks } from '../unitLinks.ts'

/** The name of each file's credential, by the path of the file. */
const indexSchema = z.record(z.string(), z.string())
/** Each call of systemd-creds takes some milliseconds of one processor. */
const atOnce = 2

interface Program {
  unit: string
  service: string
  generation: string
}

/**
 * The filled-in files of this machine's services, in the folder of the privileged helper, sealed with the key of the
 * machine:
 *
 *   files/SERVICE/GENERATION/   one credential a file, `index.json`, and `accepted` once every check accepted them
 *   file-links/UNIT/            links to those of one unit, which go with it
 */
export class KeptFiles {
  /** Of the units that load files. */
  readonly links: UnitLinks
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    this.links = new UnitLinks(join(root, 'file-links'))
  }

  /** Whether the files of a generation are here, and its checks accepted them. */
  has(service: string, generation: string): boolean {
    return existsSync(this.#accepted(service, generation))
  }

  /** Its checks have accepted the files. */
  accept(service: string, generation: string): void {
    writeFileDurably(this.#accepted(service, generation), '')
  }

  /** Replaces the files of a generation. */
  async keep(service: string, generation: string, files: Readonly<Record<string, string>>): Promise<void> {
    const folder = this.#folder(service, generation)
    rmSync(folder, { recursive: true, force: true })
    makeFolderDurably(folder)
    const names = Object.keys(files).map((path, index) => [path, `file-${index}`] as const)
    const keep = async ([path, name]: readonly [string, string]): Promise<void> =>
      writeFileDurably(join(folder, `${name}.cred`), await sealed(name, files[path] ?? ''))
    await inParallel(names, keep, atOnce)
    // Last: files without it do not count.
    writeJsonDurably(this.#index(service, generation), Object.fromEntries(names))
  }

  /** The credentials that a unit loads, at links of its own, each shown to the program below `root`. */
  link({ unit, service, generation }: Program, root: string): Credential[] {
    const found = readJson(this.#index(service, generation))
    if (found === null) throw new Error(`the files of generation ${generation} of ${service} are not filled in`)
    const credentials = Object.entries(indexSchema.parse(found)).map(([path, name]) => ({
      ...{ name, path: join(this.#folder(service, generation), `${name}.cred`), shownAt: join(root, path) },
    }))
    return this.links.set(unit, credentials)
  }

  /** Removes the files of a service's other generations. */
  keepOnly(service: string, generations: readonly string[]): void {
    const all = join(this.#root, 'files', service)
    if (!existsSync(all)) return
    for (const one of readdirSync(all))
      if (!generations.includes(one)) rmSync(join(all, one), { recursive: true, force: true })
    if (generations.length === 0) rmSync(all, { recursive: true, force: true })
  }

  /** Removes the files of all services and generations that are not named. */
  keepOnlyThose(generations: Readonly<Record<string, readonly string[]>>): void {
    const all = join(this.#root, 'files')
    if (!existsSync(all)) return
    for (const service of readdirSync(all))
      this.keepOnly(service, Object.hasOwn(generations, service) ? (generations[service] ?? []) : [])
  }

  #folder(service: string, generation: string): string {
    return join(this.#root, 'files', service, generation)
  }

  #index(service: string, generation: string): string {
    return join(this.#folder(service, generation), 'index.json')
  }

  #accepted(service: string, generation: string): string {
    return join(this.#folder(service, generation), 'accepted')
  }
}
