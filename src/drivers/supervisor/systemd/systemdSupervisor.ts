import type { Jail } from '../../../definitions/definition.ts'
import { join } from 'node:path'
import type { DataFolders } from '../dataFolders.ts'
import type { Clock } from '../../../lib/clock.ts'
import { checkName } from '../instanceName.ts'
import { alreadyRunning, whyNotStarted } from '../startRefusal.ts'
import type {
  Claimed,
  ExitStatus,
  InstanceSpec,
  LogQuery,
  MainEnd,
  Restarted,
  Started,
  SupervisorDriver,
  TerminalSize,
} from '../supervisor.ts'
import { openForgotten, type Forgotten } from './forgotten.ts'
import { openJournal, type Journal } from './journal.ts'
import { LeftoverUnits } from './leftoverUnits.ts'
import { startedMarks, type StartedMarks } from './startedMarks.ts'
import { createSystemctl, type UnitState } from '../../../systemd/systemctl.ts'
import { SystemdInstance, type InstanceHouse } from './systemdInstance.ts'
import { listUnits, type UnitRecord } from './unitFiles.ts'
import { serviceUsers } from './serviceUsers.ts'
import { confinesByUnit, openUnitHost, type UnitHost } from './unitHost.ts'
import { UnitLooks } from './unitLooks.ts'
import { UnitReloads } from './unitReloads.ts'
import { unitName } from './unitName.ts'
import { openStreams } from './unitStreams.ts'
import { systemBus } from '../../../systemd/bus/busConnection.ts'
import { dataRoot, shownFiles } from '../../../layout/folders.ts'
import { unitFolder } from '../../../layout/units.ts'

export interface SystemdSupervisorOptions {
  /** Holds `environment/` and `forgotten/`. */
  dir: string
  clock: Clock
  /**
   * Absolute paths of folders that services must not see, such as the data of the agent. A service still sees the parts
   * that its release needs.
   */
  hidden: string[]
  /** Performs the operations that need root. Default: this process, which must then run as root. */
  host?: UnitHost
  /** Removes the folders below `dataRoots`. */
  dataFolders?: DataFolders
  /** Whether something beside the unit holds an instance to its addresses (`jail: addresses`). Default: nothing. */
  confines?: () => boolean
  /** The bus for systemd's signals. Default: the system bus. */
  bus?: string
}

/** Instances as units of systemd: they outlive the agent, and run again after a reboot without it. */
export function createSystemdSupervisor(options: SystemdSupervisorOptions): SupervisorDriver {
  return new SystemdSupervisor(options)
}

class SystemdSupervisor implements SupervisorDriver {
  readonly name = 'systemd'
  readonly abilities = { memory: true, cpu: true, tasks: true, outlivesAgent: true, why: null }
  readonly dataFolders?: DataFolders
  readonly #clock: Clock
  readonly #systemctl = createSystemctl()
  readonly #host: UnitHost
  readonly #forgotten: Forgotten
  readonly #journal: Journal
  readonly #marks: StartedMarks
  readonly #instances = new Map<string, SystemdInstance>()
  readonly #exitListeners: ((exit: ExitStatus) => void)[] = []
  readonly #mainEndListeners: ((end: MainEnd) => void)[] = []
  readonly #restartListeners: ((restarted: Restarted) => void)[] = []
  readonly #giveUpListeners: ((id: string) => void)[] = []
  readonly #reloads: UnitReloads
  readonly #looks: UnitLooks
  readonly #leftovers: LeftoverUnits
  readonly #house: InstanceHouse
  readonly #confines: () => boolean
  #closing: Promise<void> | null = null

  constructor({ dir, clock, hidden, host, dataFolders, confines, bus = systemBus }: SystemdSupervisorOptions) {
    this.#clock = clock
    this.#confines = confines ?? (() => false)
    if (dataFolders) this.dataFolders = dataFolders
    const environmentFolder = join(dir, 'environment')
    this.#host = host ?? openUnitHost({ unitFolder, environmentFolder, hidden, users: serviceUsers() })
    this.#forgotten = openForgotten(join(dir, 'forgotten'))
    this.#journal = openJournal(this.#forgotten, () => this.#host.syncJournal())
    this.#marks = startedMarks(join(dir, 'started'))
    this.#reloads = new UnitReloads(() => this.#host.reload())
    this.#looks = new UnitLooks({ systemctl: this.#systemctl, clock, bus, instances: this.#instances })
    this.#leftovers = new LeftoverUnits(this.#note)
    this.#house = {
      ...{ systemctl: this.#systemctl, host: this.#host, note: this.#note, marks: this.#marks },
      exited: (exit) => this.#exitListeners.forEach((listener) => listener(exit)),
      mainEnded: (end) => this.#mainEndListeners.forEach((listener) => listener(end)),
      restarted: (restarted) => this.#restartListeners.forEach((listener) => listener(restarted)),
      gaveUp: (id) => this.#giveUpListeners.forEach((listener) => listener(id)),
      over: (id) => void this.#instances.delete(id),
      stale: () => this.#reloads.removed(),
    }
  }

  /** Writes a line for people; a failure to write it must not affect the operation that it describes. */
  readonly #note: Journal['note'] = (...about) => this.#journal.note(...about).catch(() => {})

  async recover(): ReturnType<SupervisorDriver['recover']> {
    const records = listUnits(unitFolder)
    const states = await this.#systemctl.show(records.map(({ unit }) => unit))
    const [adopted, ended, left]: [string[], string[], string[]] = [[], [], []]
    await Promise.all(
      records.map(async (record) => {
        const { instance, lives } = this.#found(record, states.get(record.unit))
        if (lives && !record.once) {
          this.#instances.set(record.id, instance)
          adopted.push(record.id)
          return
        }
        const why = await this.#leftovers.end(instance)
        if (why === null) ended.push(record.id)
        else left.push(`${record.unit}: ${why}`)
      }),
    )
    this.#looks.watch()
    return { adopted, ended, left }
  }

  /** The instance of a unit file that an earlier agent left. */
  #found(record: UnitRecord, state: UnitState | undefined): { instance: SystemdInstance; lives: boolean } {
    const runs = state?.loaded === true && (state.mainPid > 0 || state.sub.startsWith('auto-restart'))
    const isStopped = state?.loaded === true && !record.once && this.#marks.has(record.unit)
    const lives = runs || isStopped
    // systemd started the unit after a reboot, or an agent started it and was killed before it wrote the mark.
    if (runs && !record.once) this.#marks.set(record.unit)
    const instance =
      state && lives
        ? SystemdInstance.adopt(this.#house, record, state, this.#clock.now() - (monotonicMs() - state.startedMs))
        : SystemdInstance.make(this.#house, record)
    return { instance, lives }
  }

  async start(spec: InstanceSpec): Promise<Started> {
    const { id, service } = spec
    if (this.#closing !== null) throw new Error(`the supervisor is closing: ${id} is not started`)
    checkName(id)
    checkName(service)
    this.#looks.watch()
    if (this.#instances.has(id)) throw alreadyRunning(id)
    await this.#leftovers.giveUp(id)
    const instance = SystemdInstance.make(this.#house, recordOf(spec))
    this.#instances.set(id, instance)
    try {
      return await this.#begin(spec, instance)
    } catch (error) {
      if (!instance.isStopping) await this.#undoStart(spec, instance, error)
      throw error
    }
  }

  cannotJail({ addresses }: Jail): string | null {
    if (!addresses || confinesByUnit() || this.#confines()) return null
    return 'cannot restrict a service to addresses: that needs nftables or cgroup v2'
  }

  async #begin(spec: InstanceSpec, instance: SystemdInstance): Promise<Started> {
    const { unit } = instance.record
    await this.#host.write(spec)
    await this.#reloads.written(unit)
    const streams = spec.attached ? openStreams(unit) : null
    try {
      const since = this.#clock.monotonic()
      const [pid] = await Promise.all([
        instance.start(spec),
        this.#note(spec.service, spec.id, `starting release ${spec.release.slice(0, 12)}`),
      ])
      this.#looks.changed(unit, since)
      this.#looks.look(unit)
      return { pid, ...(streams ? { streams: streams.connected() } : {}) }
    } catch (error) {
      streams?.close()
      throw error
    }
  }

  /**
   * The unit may have begun to run. If it cannot be removed now, its file stays: the next agent finds the unit by that
   * file.
   */
  async #undoStart({ service, id }: InstanceSpec, instance: SystemdInstance, error: unknown): Promise<void> {
    this.#instances.delete(id)
    const left = await instance.remove().then(
      () => '',
      (stays: unknown) => `; could not remove the unit: ${whyNotStarted(stays)}`,
    )
    await this.#note(service, id, `not started: ${whyNotStarted(error)}${left}`, true)
  }

  claim(id: string): Claimed | null {
    return this.#instances.get(id)?.claim() ?? null
  }

  async stop(id: string): Promise<void> {
    await this.#instances.get(id)?.stop()
  }

  async ownsSocket(id: string, port: number): Promise<boolean> {
    const instance = this.#instances.get(id)
    return instance?.alive === true && this.#host.listens(instance.record.unit, instance.controlGroup, port)
  }

  whoOwns(port: number): ReturnType<SupervisorDriver['whoOwns']> {
    return this.#host.whoOwns(port)
  }

  problems(): string[] {
    return [this.#looks.problem() ?? []].flat()
  }

  isAlive(id: string): boolean {
    return this.#instances.get(id)?.alive === true
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const instance = this.#instances.get(id)
    if (instance?.alive === true) await this.#host.resize(instance.record.unit, instance.controlGroup, size)
  }

  onExit(listener: (exit: ExitStatus) => void): void {
    this.#exitListeners.push(listener)
  }

  onMainEnd(listener: (end: MainEnd) => void): void {
    this.#mainEndListeners.push(listener)
  }

  onRestart(listener: (restarted: Restarted) => void): void {
    this.#restartListeners.push(listener)
  }

  onGiveUp(listener: (id: string) => void): void {
    this.#giveUpListeners.push(listener)
  }

  dataFolder(service: string): string {
    return join(dataRoot, service)
  }

  filesFolder(): string {
    return shownFiles
  }

  logs(query: LogQuery): ReturnType<SupervisorDriver['logs']> {
    return this.#journal.query(query, (id) => this.#instances.has(id))
  }

  async forget(service: string): Promise<void> {
    const kept = [...this.#instances.values()].filter(({ record }) => record.service === service)
    await this.#host.syncJournal()
    this.#forgotten.forget(
      service,
      kept.map(({ record }) => record.id),
      this.#clock.now(),
    )
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    const once = [...this.#instances.values()].filter(({ record }) => record.once)
    const results = await Promise.allSettled(once.map((instance) => instance.stop()))
    const looked = this.#looks.close()
    this.#leftovers.close()
    this.#journal.close()
    await looked
    await this.#reloads.close()
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (errors.length > 0) throw new AggregateError(errors, 'could not stop some programs')
  }
}

function recordOf({ id, service, once = false, env, stop, notify }: InstanceSpec): UnitRecord {
  const port = env['PORT'] === undefined ? null : Number(env['PORT'])
  const { signal, withinMs } = stop
  const unit = unitName(service, id)
  return { unit, service, id, once, signal, withinMs, port, notifies: notify !== undefined, isSigned: false }
}

/** Monotonic time of the machine, as in systemd's timestamps: `Clock.monotonic` begins with the process. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
