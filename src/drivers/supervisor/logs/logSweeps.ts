import type { SupervisorLimits } from '../limits.ts'
import { sweepLogs, type KeptLog } from './logFolder.ts'

const sweepsPerTotal = 32

/**
 * Keeps a folder of logs below its limit. The folder is swept each time a slack of bytes was added, and always down to that
 * slack below the limit: so the limit is never exceeded.
 */
export class LogSweeps {
  readonly #sweepFolder: () => Promise<void>
  readonly #slackBytes: number
  #grownBytes = 0
  /** One sweep at a time, and at most one more queued. */
  #sweeping: Promise<void> = Promise.resolve()
  #isQueued = false

  /** `isLive`: whether the instance of a log runs; such logs stay. */
  constructor(folder: string, limits: SupervisorLimits, isLive: (log: KeptLog) => boolean) {
    this.#slackBytes = Math.floor(limits.logTotalBytes / sweepsPerTotal)
    const kept = { ...limits, logTotalBytes: limits.logTotalBytes - this.#slackBytes }
    this.#sweepFolder = () => sweepLogs(folder, kept, isLive)
  }

  /** Call after bytes were added to a log. */
  grown(bytes: number): void {
    this.#grownBytes += bytes
    if (this.#grownBytes < this.#slackBytes) return
    this.#grownBytes = 0
    this.sweep()
  }

  /** A folder that cannot be swept now is swept at the next call: a disk error must not reach the instances. */
  sweep(): void {
    if (this.#isQueued) return
    this.#isQueued = true
    this.#sweeping = this.#sweeping.then(() => {
      this.#isQueued = false
      return this.#sweepFolder().catch(() => {})
    })
  }

  /** Resolves when the sweeps so far have ended. */
  idle(): Promise<void> {
    return this.#sweeping
  }
}
