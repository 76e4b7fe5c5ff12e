import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execOrThrow } from '../../src/lib/exec.ts'
import { makeDistribution, type Distribution } from '../../packaging/distribution.ts'

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

  /** Builds for machines of this architecture, from this checkout or another one. */
  make({ root = checkout, version }: { root?: string; version?: string } = {}): Promise<Distribution> {
    const about = { root, out: this.folder, architectures: [process.arch], env: process.env }
    return makeDistribution(version === undefined ? about : { ...about, version })
  }

  /** Unpacks an archive into the folder, under that name. */
  async unpack({ archives: [archive = ''] }: Distribution, name: string): Promise<void> {
    await execOrThrow(['tar', '-xzf', archive, '-C', this.folder])
    renameSync(archive.replace('.tar.gz', ''), join(this.folder, name))
  }

  /** The Debian package of this checkout. */
  async debianPackage(): Promise<string> {
    const [file] = (await this.make()).packages
    if (file === undefined) throw new Error('no Debian package was built')
    return file
  }

  close(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true })
  }
}
