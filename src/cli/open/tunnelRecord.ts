import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { identityOf, type ProcessIdentity } from '../../laptop/processIdentity.ts'
import { readJson, replaceJson } from '../../lib/durableJson.ts'

interface Recorded extends ProcessIdentity {
  /** Address of the controller. */
  url: string
  /** Id of the tunnel. */
  tunnel: string
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

  /** Id of the tunnel with which a running process of this user carries the page of the controller at `url`. */
  carriedBy(url: string): string | null {
    const known = this.#known()
    const isRunning = known !== null && identityOf(known.pid)?.startedAt === known.startedAt
    return isRunning && known.url === url ? known.tunnel : null
  }

  /** Returns the id of the tunnel: that of a tunnel which was killed stays, so that its sessions end with this one. */
  take(url: string): string {
    const known = this.#known()
    const tunnel = known?.url === url ? known.tunnel : randomUUID()
    const self = identityOf(process.pid)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    if (self) replaceJson(this.#file, { ...self, url, tunnel })
    return tunnel
  }

  #known(): Recorded | null {
    return readJson(this.#file) as Recorded | null // only `take` writes this file
  }

  drop(): void {
    rmSync(this.#file, { force: true })
  }
}
