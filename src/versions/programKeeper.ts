import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { Backoff, pause } from '../lib/backoff.ts'
import { execOrThrow } from '../lib/exec.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { DesiredProgram, ProgramReport } from '../protocol/programState.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { commandIn, releaseOf, trialCommand, type OwnProgram } from './ownProgram.ts'
import type { PartUnits } from './partUnits.ts'
import { TrialFiles } from './trialFiles.ts'

/** How long a new program has, from its first start, to be seen to work. */
export const trialMs = 30_000
/** Tries to get a program here, where the other side answers, before it counts as failed. */
const triesBeforeFailed = 3
const retry = { firstMs: 500, mostMs: 10_000 }
/** For a new program to say its version. */
const versionMs = 30_000
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
}

/**
 * Keeps the program of one part, as an upgrade asks: has the new one here and found to run, then lets a trial switch to it. Programs
 * lie side by side; the installed one is never touched.
 */
export class ProgramKeeper {
  #options: Options
  #files: TrialFiles
  #cache: ReleaseCache
  #wanted: DesiredProgram | null = null
  #prepared: string | null = null
  #isWorking = false
  #closing = new AbortController()

  /** `null` where no unit of that name runs this very process: then its program cannot be changed from here. */
  static async open(options: Options): Promise<ProgramKeeper | null> {
    if (process.getuid?.() !== 0 || !existsSync('/run/systemd/system')) return null
    const { mainPid } = await options.units.life(options.unit)
    if (mainPid !== process.pid) return null
    const files = new TrialFiles(options.data)
    return new ProgramKeeper(options, files, await ReleaseCache.open(files.folder))
  }

  private constructor(options: Options, files: TrialFiles, cache: ReleaseCache) {
    this.#options = options
    this.#files = files
    this.#cache = cache
  }

  /** What the controller asks for; called again and again with the same. */
  want(desired: DesiredProgram | null): void {
    this.#wanted = desired
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
    if (isTried) this.#files.confirm(trial.key)
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
    const backoff = new Backoff(retry, this.#options.random)
    let tries = 0
    for (let todo = this.#todo(); todo && !this.#closing.signal.aborted; todo = this.#todo()) {
      try {
        if (this.#prepared !== todo.key) await this.#prepare(todo)
        if (todo.isDue) await this.#begin(todo)
        this.#options.changed()
      } catch (error) {
        this.#options.logger.warn(
          { err: error, key: todo.key },
          'a new version of Tandem could not be had; it is tried again',
        )
        const isAbsent = error instanceof OperatorError && error.code === 'E_CONTROLLER_UNREACHABLE'
        if (!isAbsent && ++tries >= triesBeforeFailed) this.#failed(todo, error)
        await pause(backoff.next(), this.#closing.signal)
      }
    }
    this.#isWorking = false
  }

  /** What is left to do now of what is wanted. */
  #todo(): DesiredProgram | null {
    const wanted = this.#wanted
    const { trial, failed } = this.#files
    if (!wanted || trial || failed?.key === wanted.key) return null
    if (wanted.isDue) return wanted.release === this.#running ? null : wanted
    return this.#prepared === wanted.key ? null : wanted
  }

  async #prepare({ key, release, version }: DesiredProgram): Promise<void> {
    const { signal } = this.#closing
    if (release !== null) {
      const { source } = this.#options
      await this.#cache.fetch(release, source, { signal })
      const folder = await this.#cache.open(release, { source, signal })
      const said = await saidVersion(folder)
      if (said !== version) throw new Error(`it says that it is version ${said}, and was said to be ${version}`)
      await this.#collect(release)
    }
    this.#prepared = key
  }

  /** Hands over to the trial, which will end this process. */
  async #begin({ key, release }: DesiredProgram): Promise<void> {
    const { data, unit, own, units } = this.#options
    const to = release === null ? null : commandIn(join(this.#files.folder, 'releases', release), own)
    const helper = unit.replace('.service', '-trial.service')
    this.#files.begin({ key, unit, to, from: units.command(unit), withinMs: trialMs })
    await units.startHelper(helper, trialCommand(own, data, helper))
  }

  /** Kept: what runs, what it goes back to, and what is next. */
  async #collect(next: string): Promise<void> {
    const keep = new Set([next, ...(this.#running === null ? [] : [this.#running])])
    await this.#cache.collect({ keep, lastPerService: 2, capBytes: null })
  }

  #failed({ key }: DesiredProgram, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#files.fail({ key, reason: reason.slice(0, reasonChars) })
    this.#options.changed()
  }
}

/** What a program answers when it is asked for its version: whether it runs on this machine at all. */
const saidVersion = async (folder: string): Promise<string> =>
  (await execOrThrow([join(folder, 'bin/tandem'), '--version'], { timeoutMs: versionMs })).trim()
