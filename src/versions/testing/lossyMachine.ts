import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { agentUnit, partsUnit, privilegedUnit } from '../../layout/units.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import type { Disk } from '../../lib/disk.ts'
import { LossyDisk, type Entries } from '../../lib/testing/lossyDisk.ts'
import { VirtualClock } from '../../lib/testing/virtualClock.ts'
import type { Installation } from '../../parts/parts.ts'
import { PartsChange } from '../../parts/partsChange.ts'
import { PartsFiles } from '../../parts/partsFiles.ts'
import type { PartsHost } from '../../parts/partsHost.ts'
import type { UnitControl } from '../../systemd/unitControl.ts'
import { changeParts } from '../changeParts.ts'
import { commandIn } from '../ownProgram.ts'
import { TrialHost } from '../programHost.ts'
import { ProgramKeeper } from '../programKeeper.ts'
import { runTrial } from '../runTrial.ts'
import { TrialFiles } from '../trialFiles.ts'
import { partsHostOn } from './lossyPartsHost.ts'
import { VersionsOn, type Version } from './versionsOn.ts'
import { installedState, mixed, type MachineState } from './machineState.ts'

/** A machine on which nothing happens. */
export interface Rest {
  files: Entries
  state: MachineState
  commands: Record<string, readonly string[]>
}

/** How the machine fails at one of its effects. */
export interface Cut {
  /** A whole number: before that effect; and a half: after it. */
  at: number
  /** `killed`: only the process that has this effect. Otherwise: the changes that were not synced and survive. */
  how: 'killed' | 'all' | 'none' | 'some'
}

interface Process {
  unit: string
  isAlive: boolean
  version: Version
}

const restartMs = 100
const bootMs = 1_000
const lookMs = 200
const slowestMs = 30

/**
 * A machine with systemd, in memory but for its records, on virtual time: the agent with its keeper, trials, and changes
 * of parts run as processes beside each other, from the versions that the machine's units name. At one effect it fails:
 * the process is killed, or the machine loses its power and boots again.
 */
export class LossyMachine {
  readonly clock = new VirtualClock()
  readonly data: string
  readonly #root: string
  readonly #versions: VersionsOn
  readonly #random: () => number
  readonly #disk: LossyDisk
  #state: MachineState
  #durable: MachineState
  #commands: Record<string, readonly string[]> = {}
  #running: Record<string, string> = {}
  #processes: Process[] = []
  #restarts = 0
  #wanted: { key: string; release: string | null; version: string } | null = null
  #effects = 0
  #cut: Cut | null = null

  /** `root`: an empty folder, or the one of a machine that was stopped. `first`: what the installed version has set up. */
  constructor(root: string, versions: readonly Version[], first: Installation | Rest, random: () => number) {
    this.#root = root
    this.data = join(root, 'data')
    this.#versions = new VersionsOn(root, versions)
    this.#random = random
    this.#disk = new LossyDisk(root)
    if ('state' in first) {
      this.#disk.restore(first.files)
      this.#state = structuredClone(first.state)
      this.#commands = { ...first.commands }
    } else this.#state = installedState(first)
    this.#durable = structuredClone(this.#state)
    this.#boot()
  }

  get effects(): number {
    return this.#effects
  }

  /** From here on. */
  failAt(cut: Cut): void {
    this.#effects = 0
    this.#cut = cut
  }

  /** Everything that a test compares. */
  get seen(): object & { runs: string | undefined } {
    const { units, users, groups, folders } = this.#state
    const files = new PartsFiles(this.data)
    const folder = join(this.data, 'program/parts-of')
    const saved = (existsSync(folder) ? readdirSync(folder) : []).map((name) => [
      name,
      (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { state: object }).state,
    ])
    const { record, change } = files
    const { trial } = new TrialFiles(this.data)
    return structuredClone({
      ...{ units, users, groups, folders, commands: this.#commands, running: this.#running, saved, record },
      ...{ change, trial, helpers: Object.keys(this.#state.helpers) },
      runs: this.#agent?.version.id,
    })
  }

  /** Ends every process of the machine, so that another one can use its folder. */
  stop(): Rest {
    for (const one of this.#processes) one.isAlive = false
    return structuredClone({ files: this.#disk.content, state: this.#state, commands: this.#commands })
  }

  /** Asks for this version, and resolves when the machine has come to rest: true if it runs it. */
  async upgrade(key: string, to: Version): Promise<boolean> {
    this.#wanted = { key, release: to.id === 'installed' ? null : to.id, version: to.version }
    const isOver = (): boolean => {
      const agent = this.#agent
      if (!agent || this.#processes.length > 1 || Object.keys(this.#state.helpers).length > 0) return false
      const [files, parts] = [new TrialFiles(this.data), new PartsFiles(this.data)]
      if (files.trial || parts.change) return false
      const digest = agent.version.parts?.digest
      return agent.version === to
        ? digest === undefined || parts.record?.digest === digest
        : files.failed?.key === key && agent.version.works
    }
    await this.clock.until(`the end of ${key} to ${to.id}`, isOver, 1_000_000)
    return this.#agent?.version === to
  }

  get #agent(): Process | undefined {
    return this.#processes.find(({ unit }) => unit === agentUnit)
  }

  #boot(): void {
    const { units, helpers } = this.#state
    for (const [name, { text, isEnabled }] of Object.entries(units)) if (isEnabled) this.#running[name] = text
    this.#start(agentUnit)
    for (const [name, { isEnabled }] of Object.entries(helpers)) if (isEnabled) this.#start(name)
  }

  /** Starts or restarts. */
  #start(unit: string): void {
    this.#end(unit)
    const argv =
      unit === agentUnit ? (this.#commands[unit] ?? this.#versions.installedCommand) : this.#state.helpers[unit]?.argv
    if (!argv) return
    if (unit === agentUnit) this.#running[unit] = this.#state.units[unit]?.text ?? ''
    const process: Process = { unit, isAlive: true, version: this.#versions.versionOf(argv) }
    this.#processes.push(process)
    const runs = unit === agentUnit ? this.#runAgent(process) : this.#runHelper(process, argv)
    void runs.then(
      () => this.#end(unit, process),
      () => this.#restart(process),
    )
  }

  #end(unit: string, only?: Process): void {
    for (const one of this.#processes)
      if (one.unit === unit && (only === undefined || one === only)) one.isAlive = false
    this.#processes = this.#processes.filter(({ isAlive }) => isAlive)
  }

  /** After a failure or a kill, from memory: systemd does so also when the unit's file is gone. */
  #restart(process: Process): void {
    if (!process.isAlive) return
    process.isAlive = false
    const { unit } = process
    if (unit === agentUnit) this.#restarts++
    const waiting = { ...process, isAlive: true }
    this.#processes = [...this.#processes.filter((one) => one !== process), waiting]
    this.clock.after(restartMs, () => {
      if (!waiting.isAlive) return
      if (unit === agentUnit || this.#state.helpers[unit]) this.#start(unit)
      else this.#end(unit)
    })
  }

  #losePower(how: Exclude<Cut['how'], 'killed'>): void {
    for (const one of this.#processes) one.isAlive = false
    this.#processes = []
    this.#running = {}
    const survives = (): boolean => how === 'all' || (how === 'some' && this.#random() < 0.5)
    this.#disk.losePower(survives)
    this.#state = mixed(this.#durable, this.#state, survives)
    this.#durable = structuredClone(this.#state)
    this.clock.after(bootMs, () => this.#boot())
  }

  /** One effect of a process, before or after which the machine may fail. */
  #effect<T>(process: Process, effect: () => T): T {
    if (!process.isAlive) throw new Error('the process was killed')
    const number = ++this.#effects
    const fail = (): void => {
      const how = this.#cut?.how ?? 'all'
      this.#cut = null
      if (how === 'killed') this.#restart(process)
      else this.#losePower(how)
      throw new Error('the process was killed')
    }
    if (this.#cut?.at === number) fail()
    const result = effect()
    if (this.#cut?.at === number + 0.5) fail()
    return result
  }

  /** Effects of one call, each after a moment in which other processes go on. A killed process never sees the result. */
  async #call(process: Process, ...effects: (() => void)[]): Promise<void> {
    for (const effect of effects) {
      await this.#moment(process)
      try {
        this.#effect(process, effect)
      } catch (error) {
        if (process.isAlive) throw error
        await new Promise(() => {})
      }
    }
  }

  async #moment(process: Process): Promise<void> {
    await sleep(this.#clockOf(process), 1 + this.#random() * slowestMs)
  }

  #clockOf(process: Process): Clock {
    const { clock } = this
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, fire) => clock.after(ms, () => void (process.isAlive && fire())),
    }
  }

  #diskOf(process: Process): Disk {
    const disk = this.#disk
    const does = <Args extends unknown[]>(effect: (...args: Args) => void) => {
      return (...args: Args): void => this.#effect(process, () => effect(...args))
    }
    return {
      create: does((path: string, content: string, _mode: number) => disk.create(path, content)),
      rename: does((from: string, to: string) => disk.rename(from, to)),
      remove: does((path: string) => disk.remove(path)),
      makeFolder: does((path: string, _mode: number) => disk.makeFolder(path)),
      syncFolder: does((path: string) => disk.syncFolder(path)),
    }
  }

  async #runAgent(process: Process): Promise<void> {
    const { version } = process
    await this.#moment(process)
    const parts = new PartsFiles(this.data)
    const digest = version.parts?.digest
    if (!version.works && (digest === undefined || parts.record?.digest === digest)) throw new Error('it does not work')
    const files = new TrialFiles(this.data, this.#diskOf(process))
    const own = this.#versions.ownOf(version)
    const [units, clock] = [this.#unitsOf(process), this.#clockOf(process)]
    const beside = { unit: privilegedUnit, words: ['agent', 'privileged'] }
    const host = new TrialHost({ data: this.data, unit: agentUnit, own, units, beside }, files)
    const keeper = new ProgramKeeper({
      ...{ data: this.data, unit: agentUnit, own, units, clock, random: this.#random, changed: () => {} },
      logger: pino({ level: 'silent' }),
      source: { fetch: absent },
      host: {
        prepare: async () => {},
        begin: (desired) => host.begin(desired),
        resume: () => host.resume(),
        confirm: (key) => host.confirm(key),
        changeParts: () => host.changeParts(),
        fail: (failed) => host.fail(failed),
      },
      parts: version.parts && {
        areOwn: () => parts.record?.digest === digest,
        areChanging: () => parts.change !== null,
      },
    })
    for (;;) {
      if (this.#wanted) keeper.want({ ...this.#wanted, isDue: true })
      keeper.confirm()
      await sleep(clock, lookMs)
    }
  }

  async #runHelper(process: Process, argv: readonly string[]): Promise<void> {
    const { version, unit } = process
    await this.#moment(process)
    const disk = this.#diskOf(process)
    const files = new TrialFiles(this.data, disk)
    const units = this.#unitsOf(process)
    const change = new PartsChange({
      ...{ files: new PartsFiles(this.data, disk), host: this.#hostOf(process), unit: agentUnit },
      alsoTried: [privilegedUnit],
    })
    const clock = this.#clockOf(process)
    if (argv.includes('parts')) {
      const { parts } = version
      if (!parts) throw new Error('this version changes no parts')
      const own = this.#versions.ownOf(version)
      await changeParts({
        ...{ files, change, units, unit: agentUnit, own, version: version.version, digest: parts.digest, clock },
        ...{ helper: partsUnit(agentUnit), random: this.#random, log: () => {}, describe: async () => parts.wanted },
        command: (words) => (version.id === 'installed' ? null : commandIn(own.folder, { ...own, words })),
      })
    } else if (version.parts)
      await runTrial({ files, units, change, clock, helper: unit, partsHelper: partsUnit(agentUnit) })
    else await this.#runOldTrial({ files, units, clock, helper: unit })
  }

  /** The trial of a version that knows nothing of parts. */
  #runOldTrial(around: Omit<Parameters<typeof runTrial>[0], 'change' | 'partsHelper'>): Promise<void> {
    const elsewhere = join(this.#root, 'nothing')
    const none: PartsHost = this.#hostOf({ unit: '', isAlive: false, version: this.#versions.all[0] as Version })
    const change = new PartsChange({ files: new PartsFiles(elsewhere), host: none, unit: agentUnit, alsoTried: [] })
    const units = { ...around.units, endHelper: async () => {} }
    return runTrial({ ...around, change, units, partsHelper: 'none.service' })
  }

  #unitsOf(process: Process): UnitControl {
    return {
      useCommand: (unit, argv) =>
        this.#call(process, () => {
          if (argv === null) delete this.#commands[unit]
          else this.#commands[unit] = argv
        }),
      command: (unit) => (this.#commands[unit] ? [...this.#commands[unit]] : null),
      installedCommand: (unit) => {
        if (unit === agentUnit || this.#state.units[unit]) return this.#versions.installedCommand
        const { argv } = this.#state.helpers[unit] ?? {}
        return argv ? [...argv] : null
      },
      restart: (unit) =>
        this.#call(process, () => {
          if (unit === agentUnit) this.#restarts = 0
          this.#start(unit)
        }),
      kill: () => this.#call(process, () => {}),
      life: async () => {
        await this.#moment(process)
        return { mainPid: 1, restarts: this.#restarts }
      },
      isAlive: async (unit) => {
        await this.#moment(process)
        return this.#processes.some((one) => one.unit === unit)
      },
      said: async () => '',
      startHelper: (unit, argv) =>
        this.#call(
          process,
          () => (this.#state.helpers[unit] = { argv, isEnabled: false }),
          () => (this.#state.helpers[unit] = { argv, isEnabled: true }),
          () => this.#start(unit),
        ),
      removeHelper: (unit) => this.#call(process, () => delete this.#state.helpers[unit]),
      endHelper: (unit) =>
        this.#call(
          process,
          () => this.#end(unit),
          () => delete this.#state.helpers[unit],
        ),
    }
  }

  #hostOf(process: Process): PartsHost {
    return partsHostOn({
      ...{ units: this.#unitsOf(process), state: () => this.#state, running: () => this.#running },
      call: (...effects) => this.#call(process, ...effects),
      start: (unit) => this.#start(unit),
      sync: () => (this.#durable = structuredClone(this.#state)),
    })
  }
}

const absent = (): never => {
  throw new Error('there is no controller')
}
