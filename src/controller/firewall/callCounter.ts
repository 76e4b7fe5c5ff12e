import type { Logger } from 'pino'
import { BoundedFolder } from '../../lib/boundedFolder.ts'
import type { Report } from '../../protocol/report.ts'
import type { Controller } from '../controller.ts'
import { callsIn, countsSchema, noCounts, withReport, type CallCounts, type CountedCall } from './callCounts.ts'

const file = 'calls'
const limits = { ending: '.json', files: 1, bytes: 64 * 1024 * 1024 }
/** At most so often, the counts are written: they may be lost. */
const writeEveryMs = 60_000

/** The parts of a controller that it reads. */
type Reported = Pick<Controller, 'clock' | 'now' | 'observed' | 'onDecision'>

interface Parts {
  controller: Reported
  logger: Logger
  folder: string
}

/** Keeps the counts of connections of the last week beside the event log, from the reports of the machines. */
export class CallCounter {
  readonly #controller: Reported
  readonly #logger: Logger
  readonly #folder: BoundedFolder
  /** The newest that each machine reported: the same object as long as nothing is new. */
  readonly #seen = new Map<string, Report['firewall']>()
  readonly #stop: () => void
  #counts: CallCounts
  #writtenAt = -Infinity

  constructor({ controller, logger, folder }: Parts) {
    this.#controller = controller
    this.#logger = logger
    this.#folder = new BoundedFolder(folder, limits)
    this.#counts = this.#read()
    this.#stop = controller.onDecision(() => this.#look())
  }

  get counts(): CallCounts {
    return this.#counts
  }

  /** Every pair with its connections of the last week. */
  get all(): CountedCall[] {
    return callsIn(this.#counts)
  }

  close(): void {
    this.#stop()
    this.#write()
  }

  #look(): void {
    const before = this.#counts
    for (const { report } of Object.values(this.#controller.observed)) {
      if (this.#seen.get(report.machine) === report.firewall) continue
      this.#seen.set(report.machine, report.firewall)
      this.#counts = withReport(this.#counts, report, this.#controller.now())
    }
    const now = this.#controller.clock.monotonic()
    if (this.#counts !== before && now - this.#writtenAt >= writeEveryMs) this.#write()
  }

  #write(): void {
    if (this.#counts.since === null) return
    this.#writtenAt = this.#controller.clock.monotonic()
    try {
      this.#folder.write(file, JSON.stringify(this.#counts))
    } catch (error) {
      this.#logger.error({ err: error }, 'could not keep the counts of connections')
    }
  }

  #read(): CallCounts {
    try {
      const text = this.#folder.read(file)
      return text === null ? noCounts : countsSchema.parse(JSON.parse(text))
    } catch (error) {
      this.#logger.warn({ err: error }, 'ignored a damaged file of counts of connections')
      return noCounts
    }
  }
}
