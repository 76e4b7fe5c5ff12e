import type { RequiredPackage } from '../../definitions/requires/requiredPackage.ts'
import { exec } from '../../lib/exec.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import type { RequirementFacts } from '../../protocol/requirements.ts'

/** Versions by package; `null`: this machine has no dpkg. */
type Installed = ReadonlyMap<string, string> | null

/** dpkg reads its whole database for each answer: some tens of milliseconds. */
const dpkgMs = 4_000
const form = ['db:Status-Status', 'Package', 'Version'].map((field) => `\${${field}}`).join(' ') + String.raw`\n`

/**
 * The packages of this machine. A checkup asks for the packages of every service at once: dpkg runs once for all of
 * them, one process at a time.
 */
export class DebianPackages {
  readonly #exec: typeof exec
  readonly #queue = new KeyedQueue()
  /** The query that begins next, with all names that are asked for until then. */
  #next: { names: Set<string>; told: Promise<Installed> } | null = null

  constructor(run: typeof exec = exec) {
    this.#exec = run
  }

  /** The packages that are missing, or have another version; `null`: this machine has no dpkg. */
  async missing(wanted: readonly RequiredPackage[]): Promise<RequirementFacts['missingPackages']> {
    if (wanted.length === 0) return []
    const installed = await this.#installed(wanted.map(({ name }) => name))
    if (installed === null) return null
    const judged = await Promise.all(
      wanted.map(async ({ text, name, version }) => {
        const found = installed.get(name) ?? null
        const isMet = found !== null && (version === null || (await this.#compares(found, version)))
        return isMet ? [] : [{ wanted: text, installed: found }]
      }),
    )
    return judged.flat()
  }

  #installed(names: readonly string[]): Promise<Installed> {
    const next = (this.#next ??= this.#begin())
    for (const name of names) next.names.add(name)
    return next.told
  }

  #begin(): { names: Set<string>; told: Promise<Installed> } {
    const names = new Set<string>()
    const told = this.#queue.run('dpkg', () => {
      this.#next = null
      return this.#query([...names])
    })
    return { names, told }
  }

  async #query(names: readonly string[]): Promise<Installed> {
    let told: string
    try {
      // It exits with 1 if it does not know one of them, and tells of the others all the same.
      told = (await this.#exec(['dpkg-query', '-W', `-f=${form}`, ...names], { timeoutMs: dpkgMs })).out
    } catch {
      return null // no dpkg
    }
    const installed = new Map<string, string>()
    for (const line of told.split('\n')) {
      const [status, name = '', version = ''] = line.split(' ')
      if (status === 'installed') installed.set(name, version)
    }
    return installed
  }

  async #compares(installed: string, { relation, than }: NonNullable<RequiredPackage['version']>): Promise<boolean> {
    const argv = ['dpkg', '--compare-versions', installed, relation, than]
    const { code } = await this.#queue.run('dpkg', () => this.#exec(argv, { timeoutMs: dpkgMs }))
    return code === 0
  }
}
