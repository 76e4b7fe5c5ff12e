import type { RunningHaproxy } from './runningHaproxy.ts'
import { nameOf, type RunningServer } from './runningServers.ts'

/** Number of looks during which the removal of an unwanted server is tried; later plans try again. */
const looks = 200

/** Servers that no plan names any more; HAProxy removes a server only when it has no work. */
export class LeftoverServers {
  readonly #running: RunningHaproxy
  /** By `backend/name`, with the looks left. */
  #left = new Map<string, number>()

  constructor(running: RunningHaproxy) {
    this.#running = running
  }

  get size(): number {
    return this.#left.size
  }

  /** The running servers without the wanted ones. */
  set(running: RunningServer[], wanted: ReadonlySet<string>): void {
    this.#left = new Map(running.flatMap((one) => (wanted.has(nameOf(one)) ? [] : [[nameOf(one), looks]])))
  }

  async remove(isIdle: (instance: string) => boolean): Promise<void> {
    const names = [...this.#left.keys()].filter((name) => isIdle(instanceOf(name)))
    if (names.length === 0) return
    const { pid } = await this.#running.look()
    await this.#running.tell(
      pid,
      names.flatMap((name) => [`set server ${name} state maint`, `del server ${name}`]),
    )
    const still = new Set((await this.#running.servers(pid)).map(nameOf))
    for (const [name, left] of this.#left) {
      if (!still.has(name) || left <= 1) this.#left.delete(name)
      else this.#left.set(name, left - 1)
    }
  }
}

const instanceOf = (name: string): string => name.slice(name.indexOf('/') + 1)
