import type { Logger } from 'pino'
import { coalesced, type Coalesced } from '../lib/coalesced.ts'
import type { Controller } from './controller.ts'
import type { ReleaseRoom } from './releaseRoom.ts'

/** Collects unused releases when a rollout has ended; one collection runs at a time. */
export class ReleaseCollector {
  #releases: Pick<ReleaseRoom, 'collect'>
  #logger: Logger
  #stop: () => void
  #isClosed = false
  #collections: Coalesced

  constructor(controller: Controller, releases: Pick<ReleaseRoom, 'collect'>, logger: Logger) {
    this.#releases = releases
    this.#logger = logger
    this.#collections = coalesced(() => this.#collect())
    this.#stop = controller.onChange((events) => {
      if (events.some(({ type }) => type === 'RolloutFinished')) void this.#collections.ask()
    })
  }

  /** Resolves when no collection is running. */
  idle(): Promise<void> {
    return this.#collections.idle()
  }

  /** Waits for a running collection. */
  async close(): Promise<void> {
    this.#stop()
    this.#isClosed = true
    await this.#collections.idle()
  }

  async #collect(): Promise<void> {
    if (this.#isClosed) return
    try {
      await this.#releases.collect()
    } catch (error) {
      this.#logger.error({ err: error }, 'collecting releases failed; retrying after the next rollout')
    }
  }
}
