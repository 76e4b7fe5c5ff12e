import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { sleep } from '../../lib/clock.ts'
import type { Snapshots } from '../../store/snapshots.ts'
import type { Controller } from '../controller.ts'
import type { FromWorker, ToWorker } from './snapshotWorker.ts'

/** Number of events read at a time: a few milliseconds of the controller's thread. */
const page = 500
/** A fold of a large cluster with its history takes far less. */
const workerMegabytes = 512

interface Options {
  controller: Controller
  snapshots: Snapshots
  logger: Logger
}

/**
 * Makes the snapshots that a log lacks: after an upgrade that changes the fold, no earlier one can be used. A thread of
 * its own folds the log and rests as long as it works, so that start and decisions do not wait for it.
 */
export class SnapshotFiller {
  #options: Options
  #closing = new AbortController()
  #done: Promise<void> = Promise.resolve()

  constructor(options: Options) {
    this.#options = options
  }

  start(): void {
    const { logger } = this.#options
    this.#done = this.#fill().catch((error: unknown) => {
      logger.warn({ err: error }, 'could not make all snapshots of the past; reading the past takes longer')
    })
  }

  /** Resolves when no snapshot is missing, or when the rest could not be made. */
  done(): Promise<void> {
    return this.#done
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
  }

  async #fill(): Promise<void> {
    const { controller, snapshots, logger } = this.#options
    const due: number[] = []
    for (const range of await snapshots.missing(controller.state.position)) {
      // A recovery leaves a gap, in which no snapshot can be.
      const [event] = await controller.log.search(range, {}, 1)
      if (event) due.push(range.after + 1)
    }
    if (due.length === 0 || this.#closing.signal.aborted) return
    const worker = new Worker(new URL(`./snapshotWorker${extname(import.meta.filename)}`, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: workerMegabytes },
    })
    try {
      await this.#feed(worker, due)
    } finally {
      await worker.terminate()
    }
    logger.info({ snapshots: due.length }, 'made snapshots of the past')
  }

  async #feed(worker: Worker, due: readonly number[]): Promise<void> {
    const { controller, snapshots } = this.#options
    const { clock, config, log } = controller
    const before = await snapshots.newest((due[0] ?? 1) - 1, (snapshot) => snapshot)
    let position = before?.position ?? 0
    await ask(worker, { config, from: before?.text ?? null, due })
    while (position < (due.at(-1) ?? 0) && !this.#closing.signal.aborted) {
      const startedAt = clock.monotonic()
      const events = await log.read(position, page)
      if (events.length === 0) return
      position = events.at(-1)?.position ?? position
      for (const snapshot of (await ask(worker, { events })).made) {
        await snapshots.keep(snapshot, controller.state.position)
      }
      await sleep(clock, clock.monotonic() - startedAt, this.#closing.signal)
    }
  }
}

async function ask(worker: Worker, message: ToWorker): Promise<FromWorker> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  worker.postMessage(message)
  const [answer] = (await once(worker, 'message')) as [FromWorker] // see snapshotWorker.ts
  return answer
}
