/**
 * Delay after the last change until systemd reloads, to forget all removed unit files at once: a reload takes PID 1
 * some time.
 */
const reloadAfterMs = 1_000

/** Makes systemd forget the unit files that were removed, and read a file again that has the name of a removed one. */
export class UnitReloads {
  readonly #reload: () => Promise<void>
  /** Units that systemd may still know in an old version. */
  readonly #written = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #reloading: Promise<void> = Promise.resolve()

  constructor(reload: () => Promise<void>) {
    this.#reload = reload
  }

  /** Call after the file of `unit` was written and before systemd starts it. */
  async written(unit: string): Promise<void> {
    if (this.#written.has(unit)) await this.#now()
    this.#written.add(unit)
  }

  /** Call after a unit file was removed. */
  removed(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    // A reload that fails is retried at the next change and at `close`.
    this.#timer = setTimeout(() => void this.#now().catch(() => {}), reloadAfterMs)
  }

  async close(): Promise<void> {
    if (this.#timer !== null) await this.#now()
    await this.#reloading
  }

  #now(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const known = [...this.#written]
    this.#reloading = this.#reload().then(() => known.forEach((unit) => this.#written.delete(unit)))
    return this.#reloading
  }
}
