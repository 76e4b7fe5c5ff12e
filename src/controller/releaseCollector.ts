import type { Logger } from 'pino'
import { coalesced, type Coalesced } from '../lib/coalesced.ts'
import type { Subscription } from '../store/eventLog.ts'
import type { Controller } from './controller.ts'
import type { ReleaseRoom } from './releaseRoom.ts'

/** Collects the release store when a rollout has ended; one collection at a time. */
export class ReleaseCollector {
  #releases: Pick<ReleaseRoom, 'collect'>
  #logger: Logger
  #subscription: Subscription
  #isClosed = false
  #collections: Coalesced

  constructor(controller: Controller, releases: Pick<ReleaseRoom, 'collect'>, logger: Logger) {
    this.#releases = releases
    this.#logger = logger
    this.#collections = coalesced(() => this.#collect())
    this.#subscription = controller.log.subscribe(controller.log.position(), ({ type }) => {
      if (type === 'RolloutFinished') void this.#collections.ask()
    })
  }

  /** Resolves when no collection is under way. */
  idle(): Promise<void> {
    return this.#collections.idle()
  }

  /** Waits for a collection that is under way. */
  async close(): Promise<void> {
    this.#subscription.close()
    this.#isClosed = true
    await this.#collections.idle()
  }

  async #collect(): Promise<void> {
    // Not within the append whose event asked for it.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#isClosed) return
    try {
      await this.#releases.collect()
    } catch (error) {
      this.#logger.error({ err: error }, 'collecting releases failed; it is tried again after the next rollout')
    }
  }
}
