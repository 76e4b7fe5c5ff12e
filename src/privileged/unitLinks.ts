import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Credential } from '../drivers/supervisor/systemd/unitText.ts'

/** Links to the credentials that each unit loads: a folder for each unit, which goes with it. */
export class UnitLinks {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Replaces the links of a unit. Returns the credentials at their links. */
  set(unit: string, credentials: readonly Credential[]): Credential[] {
    const [own, making] = [this.#of(unit), `${this.#of(unit)}.new`]
    rmSync(making, { recursive: true, force: true })
    mkdirSync(making, { recursive: true, mode: 0o700 })
    for (const { name, path } of credentials) linkSync(path, join(making, `${name}.cred`))
    rmSync(own, { recursive: true, force: true })
    renameSync(making, own)
    return credentials.map((one) => ({ ...one, path: join(own, `${one.name}.cred`) }))
  }

  remove(unit: string): void {
    rmSync(this.#of(unit), { recursive: true, force: true })
  }

  keepOnly(units: readonly string[]): void {
    if (!existsSync(this.#folder)) return
    for (const unit of readdirSync(this.#folder)) if (!units.includes(unit)) this.remove(unit)
  }

  #of(unit: string): string {
    return join(this.#folder, unit)
  }
}
