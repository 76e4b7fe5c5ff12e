import { isDeepStrictEqual } from 'node:util'
import { readAtStart, type MachineSettings } from '../../definitions/machineSettings.ts'
import type { JoinedAgent } from '../agentIdentity.ts'

interface Options {
  machine: string
  joined: JoinedAgent | null
  /** Sends the settings to the privileged helper; `null`: there is none. */
  send: ((settings: MachineSettings, order: string | null) => Promise<void>) | null
}

/**
 * Takes the cluster file's settings of a machine that has joined: sends them to the privileged helper, and keeps them
 * for the next start of the agent. The agent must restart once `changed` resolves: a setting has changed that it reads
 * only when it starts.
 */
export class JoinedSettings {
  readonly changed: Promise<string>
  readonly #options: Options
  readonly #change = Promise.withResolvers<string>()
  /** True if the privileged helper has received the settings since this start; it may have missed an earlier change. */
  #isSent: boolean
  /** The settings on disk. */
  #kept: MachineSettings | null

  constructor(options: Options) {
    this.#options = options
    this.#isSent = options.send === null
    this.#kept = options.joined?.settings ?? null
    this.changed = this.#change.promise
  }

  async take(settings: MachineSettings, order: string | null): Promise<void> {
    const { joined, machine, send } = this.#options
    if (!joined) return
    const isKnown = isDeepStrictEqual(settings, this.#kept)
    if (isKnown && this.#isSent) return
    await send?.(settings, order)
    this.#isSent = true
    if (isKnown) return
    joined.folder.write({ ...joined.folder.read(), machine, settings })
    this.#kept = settings
    if (isDeepStrictEqual(readAtStart(settings), readAtStart(joined.settings))) return
    this.#change.resolve('a change of the cluster file')
  }
}
