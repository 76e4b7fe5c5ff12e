import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf, type ProcessIdentity } from '../../laptop/processIdentity.ts'
import { readJson, replaceJson } from '../../lib/durableJson.ts'

interface Recorded extends ProcessIdentity {
  /** Address of the controller. */
  url: string
}

/**
 * Remembers which process of this user carries the page at a port, in a folder that only the user can write. So another
 * `tandem open` uses that tunnel, and takes no process of another user for it.
 */
export class TunnelRecord {
  readonly #folder: string
  readonly #file: string

  constructor(folder: string, port: number) {
    this.#folder = join(folder, 'open')
    this.#file = join(this.#folder, `${port}.json`)
  }

  /** Whether a running process of this user carries the page of the controller at `url`. */
  isCarried(url: string): boolean {
    const known = readJson(this.#file) as Recorded | null // only `take` writes this file
    return known !== null && known.url === url && identityOf(known.pid)?.startedAt === known.startedAt
  }

  take(url: string): void {
    const self = identityOf(process.pid)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    if (self) replaceJson(this.#file, { ...self, url })
  }

  drop(): void {
    rmSync(this.#file, { force: true })
  }
}
