import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Installation } from '../../parts/parts.ts'
import type { OwnProgram } from '../ownProgram.ts'

/** A version of Tandem. */
export interface Version {
  /** `installed`, or a release. */
  id: string
  version: string
  /** `null`: a version that knows nothing of units, users and folders, as 1cc9083. */
  parts: { digest: string; wanted: Installation } | null
  /** False if it stops under its own units. */
  works: boolean
}

/** The versions of Tandem on a machine, each in its folder. */
export class VersionsOn {
  readonly all: readonly Version[]
  readonly #root: string

  constructor(root: string, all: readonly Version[]) {
    this.#root = root
    this.all = all
    for (const one of all) {
      mkdirSync(this.#folderOf(one), { recursive: true })
      writeFileSync(join(this.#folderOf(one), 'package.json'), JSON.stringify({ version: one.version }))
    }
  }

  ownOf(version: Version): OwnProgram {
    const folder = this.#folderOf(version)
    return { folder, node: join(folder, 'bin/node'), options: [], words: ['agent', 'run'] }
  }

  get installedCommand(): string[] {
    return [join(this.#root, 'installed/bin/node'), join(this.#root, 'installed/lib/main.js'), 'agent', 'run']
  }

  /** The version that this command line runs. */
  versionOf(argv: readonly string[]): Version {
    const found = this.all.find((one) => argv.some((word) => word.startsWith(`${this.#folderOf(one)}/`)))
    if (!found) throw new Error(`no version runs by ${argv.join(' ')}`)
    return found
  }

  #folderOf({ id }: Version): string {
    return id === 'installed' ? join(this.#root, 'installed') : join(this.#root, 'data/program/releases', id)
  }
}
