import type { InstanceState } from '../../protocol/services.ts'
import type { AgentDisk } from '../agentDisk.ts'
import type { LateWrites } from '../lateWrites.ts'

/** State of an instance when it was last written to disk. */
export interface RememberedInstance {
  state: InstanceState
  /** When the instance entered that state, in milliseconds of this machine's clock. */
  since: number
  restarts: number
}

/**
 * Remembers the state of instances, since when, and their restarts, so that the next agent on this machine reports the
 * same.
 */
export class InstanceMemory {
  readonly #disk: AgentDisk
  readonly #lateWrites: LateWrites
  readonly #before: Record<string, RememberedInstance>
  #written = ''

  constructor(disk: AgentDisk, lateWrites: LateWrites) {
    this.#disk = disk
    this.#lateWrites = lateWrites
    this.#before = disk.readInstances()
  }

  recall(id: string): RememberedInstance | null {
    return Object.hasOwn(this.#before, id) ? (this.#before[id] ?? null) : null
  }

  keep(instances: ReadonlyMap<string, { remembered: RememberedInstance }>): void {
    const known = Object.fromEntries([...instances].map(([id, { remembered }]) => [id, remembered]))
    const text = JSON.stringify(known)
    if (text === this.#written) return
    this.#written = text
    this.#lateWrites.write('the state of instances', () => this.#disk.writeInstances(known))
  }
}
