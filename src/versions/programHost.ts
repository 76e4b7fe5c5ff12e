import { chmodSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { execOrThrow } from '../lib/exec.ts'
import type { DesiredProgram } from '../protocol/program.ts'
import { ReleaseCache } from '../releases/releaseCache.ts'
import type { ReleaseSource } from '../releases/releaseTarget.ts'
import { commandIn, partsCommand, releaseOf, trialCommand, type OwnProgram } from './ownProgram.ts'
import type { UnitControl } from '../systemd/unitControl.ts'
import { TrialFiles, type Failed } from './trialFiles.ts'
import { controllerUnit, partsUnit, trialUnit } from '../layout/units.ts'

/** Time without progress after which a program on trial has failed. */
const trialMs = 30_000
/**
 * A version before `startProgress.ts` reports no progress, and reads its whole log at its first start: 38 s for 1.1
 * million events on a computer with nothing else to do.
 */
const controllerTrialMs = 180_000
/** Time for a new program to print its version. */
const versionMs = 30_000

const ofTrial = 'Trial of a new version of Tandem; returns to the former version on failure'
const ofParts = 'Changes the units, users and folders of Tandem to those of its new version'

/** Operations of a change of program that need root. `order` is the text that the controller has signed. */
export interface ProgramHost {
  /** Fetches and unpacks the program, and checks that it runs. */
  prepare(desired: DesiredProgram, source: ReleaseSource, signal: AbortSignal, order: string | null): Promise<void>
  /** Hands over to the trial, which will stop the part. */
  begin(desired: DesiredProgram, order: string | null): Promise<void>
  /**
   * Continues a trial that has begun: the agent may have been killed between the begin of the trial and the start of
   * its unit.
   */
  resume(): Promise<void>
  confirm(key: string): Promise<void>
  /** Begins to change the machine's units, users and folders of Tandem to those of this program. */
  changeParts(): Promise<void>
  fail(failed: Failed): Promise<void>
}

interface Options {
  /** Data folder of the part; programs are kept in `program` below it. */
  data: string
  /** Name of the unit, for example `tandem-agent.service`. */
  unit: string
  /** How the unit runs a program; the folder and Node are those of the caller. */
  own: OwnProgram
  units: UnitControl
  /** A unit that runs the same program with other arguments, and is changed together with the part. */
  beside?: { unit: string; words: readonly string[] }
  /** Further units that may run one of these programs; their programs are kept. */
  others?: readonly string[]
  /** True if the part runs as a user who may only read the programs. */
  isShared?: boolean
}

/** The operations that begin a trial, and with which a trial and its programs communicate. */
export class TrialHost implements Omit<ProgramHost, 'prepare'> {
  protected readonly options: Options
  protected readonly files: TrialFiles

  constructor(options: Options, files: TrialFiles) {
    this.options = options
    this.files = files
  }

  async begin({ key, release }: Pick<DesiredProgram, 'key' | 'release'>): Promise<void> {
    // A repeated request: the trial may be in progress, and the unit may already run the new program.
    if (this.files.trial?.key === key) return this.resume()
    const { data, unit, own, units, beside } = this.options
    const folder = release === null ? null : join(this.files.folder, 'releases', release)
    const to = folder === null ? null : commandIn(folder, own)
    const also = beside && {
      unit: beside.unit,
      to: folder === null ? null : commandIn(folder, { ...own, words: beside.words }),
      from: units.command(beside.unit),
    }
    const withinMs = unit === controllerUnit ? controllerTrialMs : trialMs
    this.files.begin({ key, unit, to, from: units.command(unit), withinMs, ...(also ? { also } : {}) })
    await units.startHelper(trialUnit(unit), trialCommand(own, data, trialUnit(unit)), ofTrial)
  }

  async resume(): Promise<void> {
    const { data, unit, own, units } = this.options
    const helper = trialUnit(unit)
    if (await units.isAlive(helper)) return
    // The trial may have ended meanwhile; a unit that is written now would stay.
    if (this.files.trial === null) return
    // The trial must run from the version that is known to work: this process may run the version on trial.
    if (units.installedCommand(helper) !== null) await units.restart(helper)
    else await units.startHelper(trialUnit(unit), trialCommand(own, data, trialUnit(unit)), ofTrial)
  }

  async changeParts(): Promise<void> {
    const { data, unit, own, units } = this.options
    const helper = partsUnit(unit)
    if (!(await units.isAlive(helper))) await units.startHelper(helper, partsCommand(own, data, unit), ofParts)
  }

  confirm(key: string): Promise<void> {
    const { trial } = this.files
    if (trial?.key === key) this.files.confirm(key)
    return Promise.resolve()
  }

  fail(failed: Failed): Promise<void> {
    if (this.files.trial === null) this.files.fail(failed)
    return Promise.resolve()
  }
}

/** Programs are stored side by side; the installed program is never changed. */
export class RootProgramHost extends TrialHost implements ProgramHost {
  readonly #cache: ReleaseCache

  static async open(options: Options): Promise<RootProgramHost> {
    const files = new TrialFiles(options.data)
    if (options.isShared && lstatSync(files.folder).uid !== process.getuid?.())
      throw new Error(`${files.folder} does not belong to root: another user has put it there`)
    const cache = await ReleaseCache.open(files.folder)
    if (options.isShared) for (const folder of [files.folder, join(files.folder, 'releases')]) chmodSync(folder, 0o755)
    return new RootProgramHost(options, files, cache)
  }

  private constructor(options: Options, files: TrialFiles, cache: ReleaseCache) {
    super(options, files)
    this.#cache = cache
  }

  async prepare({ release, version }: DesiredProgram, source: ReleaseSource, signal: AbortSignal): Promise<void> {
    if (release === null) return
    await this.#cache.fetch(release, source, { signal })
    const folder = await this.#cache.open(release, { source, signal })
    const said = await saidVersion(folder)
    if (said !== version)
      throw new Error(`the fetched program reports version ${said}, but the controller announced version ${version}`)
    const keep = (): Set<string> => new Set([release, ...this.#running()])
    await this.#cache.collect(() => ({ keep: keep(), lastPerService: 2, capBytes: null }))
  }

  /** Releases that the caller runs and that the units are set to run; these are kept. */
  #running(): string[] {
    const { own, units, unit, others = [] } = this.options
    const releases = join(this.files.folder, 'releases')
    const words = [...(units.command(unit) ?? []), ...others.flatMap((one) => units.installedCommand(one) ?? [])]
    const named = words.flatMap((word) => new RegExp(`^${releases}/([0-9a-f]{64})/`).exec(word)?.[1] ?? [])
    return [releaseOf(own), ...named].filter((one) => one !== null)
  }
}

/** Returns the program's answer to `--version`, which shows whether the program runs on this machine at all. */
const saidVersion = async (folder: string): Promise<string> =>
  (await execOrThrow([join(folder, 'bin/tandem'), '--version'], { timeoutMs: versionMs })).trim()
