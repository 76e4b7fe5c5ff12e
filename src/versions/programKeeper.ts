import { existsSync } from 'node:fs'
import type { Logger } from 'pino'
import { Backoff } from '../lib/backoff.ts'
import { sleep, systemClock, type Clock } from '../lib/clock.ts'
import { partsUnit } from '../layout/units.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { DesiredProgram, ProgramReport } from '../protocol/program.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { releaseOf, runsIn, type OwnProgram } from './ownProgram.ts'
import { RootProgramHost, type ProgramHost } from './programHost.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { TrialFiles } from './trialFiles.ts'

/** Attempts to obtain a program before the attempt counts as failed; an unreachable controller does not count. */
const triesBeforeFailed = 3
const retry = { firstMs: 500, mostMs: 10_000 }
const reasonChars = 2_000

/** Values that the keeper needs from the process that runs the part. */
export interface KeeperNeeds {
  source: ReleaseSource
  /** Called when the report would contain something new. */
  changed: () => void
}

interface Options extends KeeperNeeds {
  /** Data folder of the part; programs are kept in `program` below it. */
  data: string
  /** Name of the unit, for example `tandem-agent.service`. */
  unit: string
  own: OwnProgram
  units: UnitControl
  logger: Logger
  random: () => number
  clock?: Clock
  /** Performs the operations that need root. Default: this process, which then is root. */
  host?: ProgramHost | undefined
  /** Tandem's units, users and folders on this machine; `null`: an upgrade leaves them as they are. */
  parts: PartsSeen | null
}

/** Read from files that root writes. */
interface PartsSeen {
  /** True if this version has set them up, completely. */
  areOwn: () => boolean
  /** True if a change of them has begun and not ended. */
  areChanging: () => boolean
}

type Hosted = Options & { host: ProgramHost }

/**
 * Keeps the program of one part at the version that an upgrade requests: fetches the new program, checks that it runs,
 * then starts a trial that switches to it. Programs are stored side by side; the installed program is never changed.
 */
export class ProgramKeeper {
  #options: Hosted
  #files: TrialFiles
  #wanted: DesiredProgram | null = null
  #order: string | null = null
  #prepared: string | null = null
  #isWorking = false
  /** True if this process began under units of another version. */
  readonly #hasOldParts: boolean
  #closing = new AbortController()
  readonly #clock: Clock

  /** Returns `null` if no unit of that name runs this process: then this process cannot change its program. */
  static async open(options: Options): Promise<ProgramKeeper | null> {
    if (!existsSync('/run/systemd/system')) return null
    if (process.getuid?.() !== 0 && !options.host) return null
    const { mainPid } = await options.units.life(options.unit)
    if (mainPid !== process.pid) return null
    const { data, unit, own, units } = options
    const host = options.host ?? (await RootProgramHost.open({ data, unit, own, units }))
    return new ProgramKeeper({ ...options, host })
  }

  /** For a process that `unit` runs. */
  constructor(options: Hosted) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#files = new TrialFiles(options.data)
    this.#hasOldParts = options.parts?.areOwn() === false
    void this.#changeParts()
  }

  /** Takes the program that the controller requests; called repeatedly with the same. */
  want(desired: DesiredProgram | null, order: string | null = null): void {
    this.#wanted = desired
    this.#order = order
    if (!this.#isWorking) void this.#work()
  }

  report(): ProgramReport {
    const { trial, failed } = this.#files
    return { release: this.#running, prepared: this.#prepared, isTrying: trial !== null, failed }
  }

  /** Confirms that this program works: it has started, and the other side has answered. The trial waits for this. */
  confirm(): void {
    const { trial, confirmed, failed } = this.#files
    if (!trial || confirmed === trial.key || failed?.key === trial.key) return
    // The former program still runs for a moment after the trial began. The tried program confirms only under the units
    // that it installs itself: they might keep it from working.
    if (!runsIn(trial.to, this.#options.own) || this.#hasOldParts) return
    this.#options.host.confirm(trial.key).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error },
        'could not record that this version works; retrying at the next message',
      )
    })
  }

  close(): void {
    this.#closing.abort()
  }

  get #running(): string | null {
    return releaseOf(this.#options.own)
  }

  /** Never rejects: a failure is retried, then reported. */
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
          'could not download or unpack the new version; retrying',
        )
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent && ++tries >= triesBeforeFailed) await this.#failed(todo, error)
        await sleep(this.#clock, backoff.next(), this.#closing.signal)
      }
    }
    this.#isWorking = false
  }

  /** Never rejects. The change restarts this process, unless this program is no longer wanted. */
  async #changeParts(): Promise<void> {
    const { host, logger, random, parts, units, unit } = this.#options
    const backoff = new Backoff(retry, random)
    const { signal } = this.#closing
    if (!parts) return
    // A request that was cut off leaves the helper's unit, which removes itself once it runs.
    const isLeftOver = (): boolean => units.installedCommand(partsUnit(unit)) !== null
    while (!signal.aborted && (!parts.areOwn() || parts.areChanging() || isLeftOver())) {
      try {
        if (!this.#isTrialsTurn) await host.changeParts()
      } catch (error) {
        logger.warn({ err: error }, 'could not begin to change the units of Tandem to those of this version; retrying')
      }
      await sleep(this.#clock, backoff.next(), signal)
    }
  }

  /** True if the trial changes the parts: before its switch to the new program and after its failure. */
  get #isTrialsTurn(): boolean {
    const { trial, failed } = this.#files
    return trial !== null && (failed?.key === trial.key || !runsIn(trial.to, this.#options.own))
  }

  async #resume(): Promise<void> {
    const { host, logger } = this.#options
    try {
      if (this.#files.trial) await host.resume()
    } catch (error) {
      logger.warn({ err: error }, 'could not resume an interrupted trial; retrying at the next message')
    }
  }

  /** Returns the wanted program if there is still something to do for it. */
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
    // If the failure cannot be recorded, the next failure records it.
    await host
      .fail({ key, reason: reason.slice(0, reasonChars) })
      .catch((cause: unknown) => logger.warn({ err: cause }, 'could not record a failure; retrying'))
    changed()
  }
}
