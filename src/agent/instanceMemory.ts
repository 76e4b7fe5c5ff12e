import type { InstanceState } from '../protocol/report.ts'
import type { AgentDisk } from './agentDisk.ts'
import type { LateWrites } from './lateWrites.ts'

/** How an instance was when that was last written down. */
export interface RememberedInstance {
  state: InstanceState
  /** When it entered that state, milliseconds by this machine's clock. */
  since: number
  restarts: number
}

/** Since when instances are as they are, and how often each was started again: the next agent on this machine says the same. */
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
    this.#lateWrites.write('how instances are', () => this.#disk.writeInstances(known))
  }
}
