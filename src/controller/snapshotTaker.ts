import type { Logger } from 'pino'
import { sleep } from '../lib/clock.ts'
import { coalesced, type Coalesced } from '../lib/coalesced.ts'
import type { Snapshots } from '../store/snapshots.ts'
import type { Controller } from './controller.ts'

/** Number of log positions from one snapshot to the next: a start folds fewer events than this. */
export const snapshotEvery = 5_000

interface Options {
  controller: Controller
  snapshots: Snapshots
  logger: Logger
  /** Position of the newest snapshot. */
  last: number
}

/** Keeps a snapshot of the fold now and then, after the answers to the callers who caused the events. */
export class SnapshotTaker {
  #options: Options
  #last: number
  #takings: Coalesced
  #stop: () => void

  constructor(options: Options) {
    const { controller, last } = options
    this.#options = options
    this.#last = last
    this.#takings = coalesced(() => this.#take())
    this.#stop = controller.onChange(() => {
      if (this.#isDue()) void this.#takings.ask()
    })
  }

  /** Resolves when no snapshot is being taken. */
  idle(): Promise<void> {
    return this.#takings.idle()
  }

  /** Waits for a snapshot that is being taken. */
  async close(): Promise<void> {
    this.#stop()
    await this.idle()
  }

  #isDue(): boolean {
    const { controller, snapshots } = this.#options
    return controller.state.position - this.#last >= snapshots.every
  }

  /** Never rejects: without a new snapshot, the next start takes longer. It is tried again with the next one due. */
  async #take(): Promise<void> {
    const { controller, snapshots, logger } = this.#options
    await sleep(controller.clock, 0)
    if (!this.#isDue()) return
    const { position } = controller.state
    this.#last = position
    try {
      await snapshots.keep({ position, text: controller.fold.snapshot() })
    } catch (error) {
      logger.warn({ err: error, position }, 'could not keep a snapshot of the state; the next start takes longer')
    }
  }
}
