import { KeyedQueue } from '../../../lib/keyedQueue.ts'
import { whyNotStarted } from '../startRefusal.ts'
import type { Journal } from './journal.ts'
import type { SystemdInstance } from './systemdInstance.ts'

const againMs = 30_000

type Leftover = Pick<SystemdInstance, 'record' | 'remove'>

/**
 * Units of an earlier agent that must end but cannot end now. They must not affect other units; the agent retries them.
 */
export class LeftoverUnits {
  readonly #note: Journal['note']
  readonly #queue = new KeyedQueue()
  /** Timer of the next attempt, by id. */
  readonly #again = new Map<string, NodeJS.Timeout>()
  #isClosed = false

  /** `note` writes a line about the unit for people; it never rejects. */
  constructor(note: Journal['note']) {
    this.#note = note
  }

  /** Resolves with the reason why the unit could not be stopped, or with `null` if nothing of it is left. */
  end(instance: Leftover): Promise<string | null> {
    return this.#queue.run(instance.record.id, () => this.#end(instance))
  }

  async #end(instance: Leftover): Promise<string | null> {
    const { service, id } = instance.record
    try {
      await instance.remove()
      this.#again.delete(id)
      await this.#note(service, id, 'ended with the agent, or before', true)
      return null
    } catch (error) {
      const why = whyNotStarted(error)
      if (!this.#again.has(id))
        await this.#note(service, id, `cannot stop this unit of an earlier agent: ${why}; retrying`, false)
      const again = (): void => void this.#queue.run(id, () => this.#endStill(instance))
      if (!this.#isClosed) this.#again.set(id, setTimeout(again, againMs).unref())
      return why
    }
  }

  async #endStill(instance: Leftover): Promise<void> {
    if (this.#again.has(instance.record.id) && !this.#isClosed) await this.#end(instance)
  }

  /**
   * An instance with this id is being started and its unit is written again. Resolves once no work on the old unit is
   * under way.
   */
  async giveUp(id: string): Promise<void> {
    await this.#queue.run(id, async () => {
      clearTimeout(this.#again.get(id))
      this.#again.delete(id)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#again.values()) clearTimeout(timer)
  }
}
