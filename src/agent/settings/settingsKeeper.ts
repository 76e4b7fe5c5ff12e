import type { DesiredState } from '../../protocol/desiredState.ts'
import type { MachineSettings } from '../../definitions/machineSettings.ts'
import type { Problems } from '../problems.ts'

export type TakeSettings = (settings: MachineSettings, order: string | null) => Promise<void>

/**
 * This machine's part of the cluster file, until it is applied. A failure is a problem and is retried with each
 * heartbeat.
 */
export class SettingsKeeper {
  readonly #take: TakeSettings
  readonly #problems: Problems
  #wanted: DesiredState | null = null
  #isBusy = false

  constructor(take: TakeSettings, problems: Problems) {
    this.#take = take
    this.#problems = problems
  }

  /** Called with each state that the agent obeys. */
  want(desired: DesiredState): Promise<void> {
    this.#wanted = desired
    return this.retry()
  }

  async retry(): Promise<void> {
    if (this.#isBusy || !this.#wanted?.settings) return
    const wanted = this.#wanted
    this.#isBusy = true
    try {
      await this.#take(this.#wanted.settings, this.#wanted.orders.settings)
      if (this.#wanted === wanted) this.#wanted = null
      this.#problems.solved('cluster file')
    } catch (error) {
      this.#problems.add('cluster file', error)
    } finally {
      this.#isBusy = false
    }
  }
}
