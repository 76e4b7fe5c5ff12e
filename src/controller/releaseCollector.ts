import type { Logger } from 'pino'
import type { Subscription } from '../store/eventLog.ts'
import type { Controller } from './controller.ts'
import type { ReleaseRoom } from './releaseRoom.ts'

/** Collects the release store when a rollout has ended; one collection at a time. */
export class ReleaseCollector {
  #releases: Pick<ReleaseRoom, 'collect'>
  #logger: Logger
  #subscription: Subscription
  #running: Promise<void> | null = null
  #again = false

  constructor(controller: Controller, releases: Pick<ReleaseRoom, 'collect'>, logger: Logger) {
    this.#releases = releases
    this.#logger = logger
    this.#subscription = controller.log.subscribe(controller.log.position(), ({ type }) => {
      if (type === 'RolloutFinished') this.#collect()
    })
  }

  /** Resolves when no collection is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** Waits for a collection that is under way. */
  async close(): Promise<void> {
    this.#subscription.close()
    this.#again = false
    await this.#running
  }

  #collect(): void {
    this.#again = true
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Not within the append whose event asked for it.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#again) {
      this.#again = false
      try {
        await this.#releases.collect()
      } catch (error) {
        this.#logger.error({ err: error }, 'collecting releases failed; it is tried again after the next rollout')
      }
    }
    // Together with the last look at `#again`: a rollout that ended in between would wait for the next one.
    this.#running = null
  }
}
