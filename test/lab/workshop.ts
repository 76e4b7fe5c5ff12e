import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execOrThrow } from '../../src/lib/exec.ts'
import { buildOf, type Wanted } from './builds.ts'

const checkout = join(import.meta.dirname, '../..')

/**
 * A folder of this checkout with built packages for lab machines. It is created on first use, and removed by `close`.
 */
export class Workshop {
  #name: string
  #folder: string | null = null

  constructor(name: string) {
    this.#name = name
  }

  get folder(): string {
    mkdirSync(join(checkout, 'tmp'), { recursive: true })
    this.#folder ??= mkdtempSync(join(checkout, `tmp/${this.#name}-`))
    return this.#folder
  }

  /** Copies a build into the folder: its Debian package, whose path it returns, and its program under that name. */
  async add(wanted: Wanted, name?: string): Promise<string> {
    const { debian, program } = await buildOf(wanted)
    if (name !== undefined) await this.#copy(program, name)
    await this.#copy(debian, basename(debian))
    return join(this.folder, basename(debian))
  }

  /** The Debian package of this checkout. */
  debianPackage(): Promise<string> {
    return this.add({})
  }

  close(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
  }

  async #copy(from: string, name: string): Promise<void> {
    await execOrThrow(['cp', '-a', '--reflink=auto', from, join(this.folder, name)])
  }
}
