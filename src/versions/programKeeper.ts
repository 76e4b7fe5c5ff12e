import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Backoff, pause } from '../lib/backoff.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { DesiredProgram, ProgramReport } from '../protocol/programState.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { releaseOf, type OwnProgram } from './ownProgram.ts'
import { RootProgramHost, type ProgramHost } from './programHost.ts'
import type { PartUnits } from './partUnits.ts'
import { TrialFiles } from './trialFiles.ts'

/** Tries to get a program here, where the other side answers, before it counts as failed. */
const triesBeforeFailed = 3
const retry = { firstMs: 500, mostMs: 10_000 }
const reasonChars = 2_000

/** What whoever runs a part knows and its keeper needs. */
export interface KeeperNeeds {
  source: ReleaseSource
  /** Called when the report would say something new. */
  changed: () => void
}

interface Options extends KeeperNeeds {
  /** The part's data folder; programs are kept in `program` below it. */
  data: string
  /** `tandem-agent.service`. */
  unit: string
  own: OwnProgram
  units: PartUnits
  logger: Logger
  random: () => number
  /** Does what needs root. Default: this process, which then is root. */
  host?: ProgramHost | undefined
}

type Hosted = Options & { host: ProgramHost }

/**
 * Keeps the program of one part, as an upgrade asks: has the new one here and found to run, then lets a trial switch to it. Programs
 * lie side by side; the installed one is never touched.
 */
export class ProgramKeeper {
  #options: Hosted
  #files: TrialFiles
  #wanted: DesiredProgram | null = null
  #order: string | null = null
  #prepared: string | null = null
  #isWorking = false
  #closing = new AbortController()

  /** `null` where no unit of that name runs this very process: then its program cannot be changed from here. */
  static async open(options: Options): Promise<ProgramKeeper | null> {
    if (!existsSync('/run/systemd/system')) return null
    if (process.getuid?.() !== 0 && !options.host) return null
    const { mainPid } = await options.units.life(options.unit)
    if (mainPid !== process.pid) return null
    const { data, unit, own, units } = options
    const host = options.host ?? (await RootProgramHost.open({ data, unit, own, units }))
    return new ProgramKeeper({ ...options, host })
  }

  private constructor(options: Hosted) {
    this.#options = options
    this.#files = new TrialFiles(options.data)
  }

  /** What the controller asks for; called again and again with the same. */
  want(desired: DesiredProgram | null, order: string | null = null): void {
    this.#wanted = desired
    this.#order = order
    if (!this.#isWorking) void this.#work()
  }

  report(): ProgramReport {
    const { trial, failed } = this.#files
    return { release: this.#running, prepared: this.#prepared, isTrying: trial !== null, failed }
  }

  /** This program works: it is up, and the other side has answered it. What the trial waits for. */
  confirm(): void {
    const { trial, confirmed, failed } = this.#files
    if (!trial || confirmed === trial.key || failed?.key === trial.key) return
    // The former program still runs for a moment after the trial was begun.
    const { folder } = this.#options.own
    const isTried = trial.to === null ? this.#running === null : trial.to.includes(join(folder, 'lib/main.js'))
    if (!isTried) return
    this.#options.host.confirm(trial.key).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error },
        'that this version works could not be written down; the next word tries again',
      )
    })
  }

  close(): void {
    this.#closing.abort()
  }

  get #running(): string | null {
    return releaseOf(this.#options.own, join(this.#files.folder, 'releases'))
  }

  /** Never rejects: what fails is tried again, then reported. */
  async #work(): Promise<void> {
    this.#isWorking = true
    await this.#resume()
    const backoff = new Backoff(retry, this.#options.random)
    let tries = 0
    for (let todo = this.#todo(); todo && !this.#closing.signal.aborted; todo = this.#todo()) {
      try {
        if (this.#prepared !== todo.key) await this.#prepare(todo)
        if (todo.isDue) await this.#options.host.begin(todo, this.#order)
        this.#options.changed()
      } catch (error) {
        this.#options.logger.warn(
          { err: error, key: todo.key },
          'a new version of Tandem could not be had; it is tried again',
        )
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent && ++tries >= triesBeforeFailed) await this.#failed(todo, error)
        await pause(backoff.next(), this.#closing.signal)
      }
    }
    this.#isWorking = false
  }

  async #resume(): Promise<void> {
    const { host, logger } = this.#options
    try {
      if (this.#files.trial) await host.resume()
    } catch (error) {
      logger.warn({ err: error }, 'a trial that was cut off could not be gone on with; the next word tries again')
    }
  }

  /** What is left to do now of what is wanted. */
  #todo(): DesiredProgram | null {
    const wanted = this.#wanted
    const { trial, failed } = this.#files
    if (!wanted || trial || failed?.key === wanted.key) return null
    if (wanted.isDue) return wanted.release === this.#running ? null : wanted
    return this.#prepared === wanted.key ? null : wanted
  }

  async #prepare(todo: DesiredProgram): Promise<void> {
    const { source, host } = this.#options
    await host.prepare(todo, source, this.#closing.signal, this.#order)
    this.#prepared = todo.key
  }

  async #failed({ key }: DesiredProgram, error: unknown): Promise<void> {
    const { host, logger, changed } = this.#options
    const reason = error instanceof Error ? error.message : String(error)
    // Where that cannot be written down, the next failure writes it.
    await host
      .fail({ key, reason: reason.slice(0, reasonChars) })
      .catch((cause: unknown) => logger.warn({ err: cause }, 'a failure could not be written down; it is tried again'))
    changed()
  }
}
