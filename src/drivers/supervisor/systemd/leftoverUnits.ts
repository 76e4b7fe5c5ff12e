import { Turns } from '../../../lib/turns.ts'
import { whyNotStarted } from '../startRefusal.ts'
import type { Journal } from './journal.ts'
import type { SystemdInstance } from './systemdInstance.ts'

const againMs = 30_000

type Leftover = Pick<SystemdInstance, 'record' | 'remove'>

/** Units of an earlier agent that are to end, and cannot now: no reason to leave all others alone. They are tried again. */
export class LeftoverUnits {
  readonly #note: Journal['note']
  readonly #turns = new Turns()
  /** By id: when it is tried again. */
  readonly #again = new Map<string, NodeJS.Timeout>()
  #isClosed = false

  /** `note`: a line about it for people; never rejects. */
  constructor(note: Journal['note']) {
    this.#note = note
  }

  /** Why it could not be ended; `null`: nothing is left of it. */
  end(instance: Leftover): Promise<string | null> {
    return this.#turns.take(instance.record.id, () => this.#end(instance))
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
        await this.#note(service, id, `what an earlier agent left cannot be ended: ${why}`, false)
      const again = (): void => void this.#turns.take(id, () => this.#endStill(instance))
      if (!this.#isClosed) this.#again.set(id, setTimeout(again, againMs).unref())
      return why
    }
  }

  async #endStill(instance: Leftover): Promise<void> {
    if (this.#again.has(instance.record.id) && !this.#isClosed) await this.#end(instance)
  }

  /** One of this id is started now: its unit is written anew. Resolves once nothing works on the old one. */
  async giveUp(id: string): Promise<void> {
    await this.#turns.take(id, async () => {
      clearTimeout(this.#again.get(id))
      this.#again.delete(id)
    })
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#again.values()) clearTimeout(timer)
  }
}
