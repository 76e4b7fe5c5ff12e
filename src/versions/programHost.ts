import { chmodSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { execOrThrow } from '../lib/exec.ts'
import type { DesiredProgram } from '../protocol/programState.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { commandIn, releaseOf, trialCommand, type OwnProgram } from './ownProgram.ts'
import type { PartUnits } from './partUnits.ts'
import { TrialFiles, type Failed } from './trialFiles.ts'

/** How long a new program has, from its first start, to be seen to work. */
export const trialMs = 30_000
/** For a new program to say its version. */
const versionMs = 30_000

/** All that changing a part's program needs root for. An `order` is what the controller has signed. */
export interface ProgramHost {
  /** Has it here, unpacked, and found to run. */
  prepare(desired: DesiredProgram, source: ReleaseSource, signal: AbortSignal, order: string | null): Promise<void>
  /** Hands over to the trial, which will end the part. */
  begin(desired: DesiredProgram, order: string | null): Promise<void>
  /** Lets a trial that was begun go on: a kill may have come between its beginning and its unit's start. */
  resume(): Promise<void>
  confirm(key: string): Promise<void>
  fail(failed: Failed): Promise<void>
}

interface Options {
  /** The part's data folder; programs are kept in `program` below it. */
  data: string
  /** `tandem-agent.service`. */
  unit: string
  /** How that unit runs a program; its folder and Node are of whoever calls. */
  own: OwnProgram
  units: PartUnits
  /** A unit that runs the same program by other words, and changes with it. */
  beside?: { unit: string; words: readonly string[] }
  /** More units that may run a program of these: what they run is kept. */
  others?: readonly string[]
  /** The part runs as a user who may only read. */
  isShared?: boolean
}

/** Programs lie side by side; the installed one is never touched. */
export class RootProgramHost implements ProgramHost {
  readonly #options: Options
  readonly #files: TrialFiles
  readonly #cache: ReleaseCache

  static async open(options: Options): Promise<RootProgramHost> {
    const files = new TrialFiles(options.data)
    if (options.isShared && lstatSync(files.folder).uid !== process.getuid?.())
      throw new Error(`${files.folder} is not root's: somebody has put it there`)
    const cache = await ReleaseCache.open(files.folder)
    if (options.isShared) for (const folder of [files.folder, join(files.folder, 'releases')]) chmodSync(folder, 0o755)
    return new RootProgramHost(options, files, cache)
  }

  private constructor(options: Options, files: TrialFiles, cache: ReleaseCache) {
    this.#options = options
    this.#files = files
    this.#cache = cache
  }

  async prepare({ release, version }: DesiredProgram, source: ReleaseSource, signal: AbortSignal): Promise<void> {
    if (release === null) return
    await this.#cache.fetch(release, source, { signal })
    const folder = await this.#cache.open(release, { source, signal })
    const said = await saidVersion(folder)
    if (said !== version) throw new Error(`it says that it is version ${said}, and was said to be ${version}`)
    const keep = (): Set<string> => new Set([release, ...this.#running()])
    await this.#cache.collect(() => ({ keep: keep(), lastPerService: 2, capBytes: null }))
  }

  async begin({ key, release }: DesiredProgram): Promise<void> {
    // Asked for again: the trial may be under way, and the unit run the new one already.
    if (this.#files.trial?.key === key) return this.resume()
    const { data, unit, own, units, beside } = this.#options
    const folder = release === null ? null : join(this.#files.folder, 'releases', release)
    const to = folder === null ? null : commandIn(folder, own)
    const also = beside && {
      unit: beside.unit,
      to: folder === null ? null : commandIn(folder, { ...own, words: beside.words }),
      from: units.command(beside.unit),
    }
    this.#files.begin({ key, unit, to, from: units.command(unit), withinMs: trialMs, ...(also ? { also } : {}) })
    await units.startHelper(helperOf(unit), trialCommand(own, data, helperOf(unit)))
  }

  async resume(): Promise<void> {
    const { data, unit, own, units } = this.#options
    const helper = helperOf(unit)
    if (this.#files.trial === null || (await units.isAlive(helper))) return
    // Who tries is the version that has proven itself: this may be the one that is being tried.
    if (units.installedCommand(helper) !== null) await units.restart(helper)
    else await units.startHelper(helperOf(unit), trialCommand(own, data, helperOf(unit)))
  }

  confirm(key: string): Promise<void> {
    const { trial } = this.#files
    if (trial?.key === key) this.#files.confirm(key)
    return Promise.resolve()
  }

  fail(failed: Failed): Promise<void> {
    if (this.#files.trial === null) this.#files.fail(failed)
    return Promise.resolve()
  }

  /** What whoever calls runs, and what the units are to run: kept. */
  #running(): string[] {
    const { own, units, unit, others = [] } = this.#options
    const releases = join(this.#files.folder, 'releases')
    const words = [...(units.command(unit) ?? []), ...others.flatMap((one) => units.installedCommand(one) ?? [])]
    const named = words.flatMap((word) => new RegExp(`^${releases}/([0-9a-f]{64})/`).exec(word)?.[1] ?? [])
    return [releaseOf(own, releases), ...named].filter((one) => one !== null)
  }
}

/** The unit that tries a new program for the part of this unit. */
export const helperOf = (unit: string): string => unit.replace('.service', '-trial.service')

/** What a program answers when it is asked for its version: whether it runs on this machine at all. */
const saidVersion = async (folder: string): Promise<string> =>
  (await execOrThrow([join(folder, 'bin/tandem'), '--version'], { timeoutMs: versionMs })).trim()
