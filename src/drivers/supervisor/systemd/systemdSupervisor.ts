import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DataFolders } from '../dataFolders.ts'
import type { Clock } from '../../../lib/clock.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import { coalesced } from '../../../lib/coalesced.ts'
import { checkName } from '../instanceName.ts'
import { alreadyRunning, whyNotStarted } from '../startRefusal.ts'
import { resolveExecutable } from '../process/executable.ts'
import type { ExitStatus, InstanceSpec, MainEnd, Restarted, Started, SupervisorDriver } from '../supervisor.ts'
import { openForgotten } from './forgotten.ts'
import { openJournal, type Journal } from './journal.ts'
import { LeftoverUnits } from './leftoverUnits.ts'
import { startedMarks } from './startedMarks.ts'
import { createSystemctl } from './systemctl.ts'
import { SystemdInstance, type InstanceHouse } from './systemdInstance.ts'
import { SignalTrust } from './signalTrust.ts'
import { listUnits, type UnitRecord } from './unitFiles.ts'
import { openUnitHost, type UnitHost } from './unitHost.ts'
import { unitName } from './unitName.ts'
import { openStreams } from './unitStreams.ts'
import { dataParent } from './unitText.ts'
import { watchUnits } from './unitWatch.ts'
import { systemBus } from './bus/busConnection.ts'

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
  /** The bus for systemd's signals. Default: the system bus. */
  bus?: string
}

const unitFolder = '/etc/systemd/system'
/** Where services keep their data; systemd creates both folders. */
export const dataRoots = [join('/var/lib/private', dataParent), join('/var/lib', dataParent)]
/** Interval at which every instance is checked even without a signal, and the interval while no signals arrive. */
const lookMs = 30_000
const deafLookMs = 2_000
/**
 * Delay after the last change until systemd reloads, to forget all removed unit files at once: a reload takes PID 1
 * some time.
 */
const reloadAfterMs = 1_000

/** Instances as units of systemd: they outlive the agent, and run again after a reboot without it. */
export function createSystemdSupervisor(options: SystemdSupervisorOptions): SupervisorDriver {
  const { dir, clock, hidden } = options
  const systemctl = createSystemctl()
  const host = options.host ?? openUnitHost({ unitFolder, environmentFolder: join(dir, 'environment'), hidden })
  const forgotten = openForgotten(join(dir, 'forgotten'))
  const journal = openJournal(forgotten, () => host.syncJournal())
  const marks = startedMarks(join(dir, 'started'))
  const instances = new Map<string, SystemdInstance>()
  const exitListeners: ((exit: ExitStatus) => void)[] = []
  const mainEndListeners: ((end: MainEnd) => void)[] = []
  const restartListeners: ((restarted: Restarted) => void)[] = []
  const ending = new AbortController()
  let closing: Promise<void> | null = null
  let watching: Promise<void> | null = null

  /** Units that systemd may still know in an old version. */
  let reloadTimer: NodeJS.Timeout | null = null
  let reloading: Promise<void> = Promise.resolve()
  const removed = new Set<string>()
  const reload = (): Promise<void> => {
    if (reloadTimer !== null) clearTimeout(reloadTimer)
    reloadTimer = null
    const known = [...removed]
    reloading = host.reload().then(() => known.forEach((unit) => removed.delete(unit)))
    return reloading
  }
  /** Writes a line for people; a failure to write it must not affect the operation that it describes. */
  const note: Journal['note'] = (...about) => journal.note(...about).catch(() => {})
  const leftovers = new LeftoverUnits(note)
  const house: InstanceHouse = {
    ...{ systemctl, host, note, marks },
    exited: (exit) => exitListeners.forEach((listener) => listener(exit)),
    mainEnded: (end) => mainEndListeners.forEach((listener) => listener(end)),
    restarted: (restarted) => restartListeners.forEach((listener) => listener(restarted)),
    over: (id) => void instances.delete(id),
    stale: () => {
      if (reloadTimer !== null) clearTimeout(reloadTimer)
      // A reload that fails is retried at the next change and at `close`.
      reloadTimer = setTimeout(() => void reload().catch(() => {}), reloadAfterMs)
    },
  }

  const byUnit = (unit: string): SystemdInstance | undefined =>
    [...instances.values()].find((one) => one.record.unit === unit)
  /** Units to check. One check runs at a time, and each check begins after the event that caused it. */
  const touched = new Set<string>()
  const looks = coalesced(async () => {
    const units = [...touched].filter((unit) => byUnit(unit))
    touched.clear()
    if (units.length === 0 || ending.signal.aborted) return
    const states = await systemctl.show(units)
    const since = clock.monotonic() - lookMs
    await Promise.all(
      units.map(async (unit) => {
        if (await byUnit(unit)?.look(states.get(unit))) signals.changed(unit, since)
      }),
    )
  })
  const look = (units: Iterable<string>): void => {
    for (const unit of units) touched.add(unit)
    looks.ask().catch(() => {}) // systemd does not answer now: the timer checks again soon
  }
  const lookAtAll = (): void => look([...instances.values()].map(({ record }) => record.unit))
  const signals = new SignalTrust(clock)
  let lookedAt = clock.monotonic()
  const timer = setInterval(() => {
    const now = clock.monotonic()
    if (now - lookedAt < lookMs && signals.problem() === null) return
    lookedAt = now
    lookAtAll()
  }, deafLookMs)
  const watch = (): void => {
    watching ??= watchUnits(
      {
        path: options.bus ?? systemBus,
        touched: (unit) => {
          signals.rang(unit)
          look([unit])
        },
        missed: () => {
          signals.connected()
          lookAtAll()
        },
        ending: (unit, told) => byUnit(unit)?.told(told),
        deaf: (why) => signals.away(why),
      },
      ending.signal,
    )
  }

  const recover: SupervisorDriver['recover'] = async () => {
    const records = listUnits(unitFolder)
    const states = await systemctl.show(records.map(({ unit }) => unit))
    const [adopted, ended, left]: [string[], string[], string[]] = [[], [], []]
    const adopt = async (record: UnitRecord): Promise<void> => {
      const state = states.get(record.unit)
      const runs = state?.loaded === true && (state.mainPid > 0 || state.sub.startsWith('auto-restart'))
      const isStopped = state?.loaded === true && !record.once && marks.has(record.unit)
      const lives = runs || isStopped
      // systemd started the unit after a reboot, or an agent started it and was killed before it wrote the mark.
      if (runs && !record.once) marks.set(record.unit)
      const instance =
        state && lives
          ? SystemdInstance.adopt(house, record, state, clock.now() - (monotonicMs() - state.startedMs))
          : SystemdInstance.make(house, record)
      if (lives && !record.once) {
        instances.set(record.id, instance)
        adopted.push(record.id)
      } else {
        const why = await leftovers.end(instance)
        if (why === null) ended.push(record.id)
        else left.push(`${record.unit}: ${why}`)
      }
    }
    await Promise.all(records.map(adopt))
    watch()
    return { adopted, ended, left }
  }

  const start = async (spec: InstanceSpec): Promise<Started> => {
    if (closing !== null) throw new Error(`the supervisor is closing: ${spec.id} is not started`)
    checkName(spec.id)
    checkName(spec.service)
    watch()
    if (instances.has(spec.id)) throw alreadyRunning(spec.id)
    await leftovers.giveUp(spec.id)
    return begin(spec)
  }

  const begin = async (spec: InstanceSpec): Promise<Started> => {
    const { id, service, once = false } = spec
    const unit = unitName(service, id)
    const port = spec.env['PORT'] === undefined ? null : Number(spec.env['PORT'])
    const { signal, withinMs } = spec.stop
    const record = { unit, service, id, once, signal, withinMs, port, notifies: spec.notify !== undefined }
    const instance = SystemdInstance.make(house, record)
    instances.set(id, instance)
    let ends: ReturnType<typeof openStreams> | null = null
    try {
      if (spec.jail?.addresses && !confinesAddresses()) throw cannotConfine(spec)
      const executable = resolveExecutable(spec.argv, spec.env, spec.cwd)
      await host.write(spec, executable)
      if (removed.has(unit)) await reload()
      removed.add(unit)
      if (spec.attached) ends = openStreams(unit)
      const since = clock.monotonic()
      const [pid] = await Promise.all([
        instance.start(spec),
        note(service, id, `starting release ${spec.release.slice(0, 12)}`),
      ])
      signals.changed(unit, since)
      look([unit])
      return { pid, ...(ends ? { streams: ends.connected() } : {}) }
    } catch (error) {
      ends?.close()
      if (!instance.isStopping) {
        instances.delete(id)
        // The unit may have begun to run. If it cannot be removed now, its file stays: the next agent finds the unit by
        // that file.
        const left = await instance.remove().then(
          () => '',
          (stays: unknown) => `; could not remove the unit: ${whyNotStarted(stays)}`,
        )
        await note(service, id, `not started: ${whyNotStarted(error)}${left}`, true)
      }
      throw error
    }
  }

  const close = async (): Promise<void> => {
    const once = [...instances.values()].filter(({ record }) => record.once)
    const results = await Promise.allSettled(once.map((instance) => instance.stop()))
    clearInterval(timer)
    signals.close()
    leftovers.close()
    ending.abort()
    journal.close()
    await Promise.all([watching, looks.idle()])
    if (reloadTimer !== null) await reload()
    await reloading
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (errors.length > 0) throw new AggregateError(errors, 'could not stop some programs')
  }

  return {
    name: 'systemd',
    abilities: { memory: true, cpu: true, tasks: true, outlivesAgent: true, why: null },
    recover,
    start,
    claim: (id) => instances.get(id)?.claim() ?? null,
    stop: async (id) => instances.get(id)?.stop(),
    ownsSocket: async (id, port) => {
      const instance = instances.get(id)
      return instance?.alive === true && host.listens(instance.record.unit, instance.controlGroup, port)
    },
    whoOwns: (port) => host.whoOwns(port),
    problems: () => [signals.problem() ?? []].flat(),
    isAlive: (id) => instances.get(id)?.alive === true,
    onExit: (listener) => void exitListeners.push(listener),
    onMainEnd: (listener) => void mainEndListeners.push(listener),
    onRestart: (listener) => void restartListeners.push(listener),
    dataFolder: (service) => join('/var/lib', dataParent, service),
    ...(options.dataFolders ? { dataFolders: options.dataFolders } : {}),
    logs: (query) => journal.query(query, (id) => instances.has(id)),
    forget: async (service) => {
      const kept = [...instances.values()].filter(({ record }) => record.service === service)
      await host.syncJournal()
      forgotten.forget(
        service,
        kept.map(({ record }) => record.id),
        clock.now(),
      )
    },
    close: () => (closing ??= close()),
  }
}

/**
 * The firewall of a unit is a BPF program at its cgroup, which only v2 supports. Without v2, systemd starts the unit
 * without the firewall and only logs that.
 */
const confinesAddresses = (): boolean => existsSync('/sys/fs/cgroup/cgroup.controllers')

function cannotConfine({ id }: InstanceSpec): OperatorError {
  const next = 'boot the machine with systemd.unified_cgroup_hierarchy=1, or remove `jail: addresses`'
  return new OperatorError('E_EXEC', 'this machine cannot restrict the service to addresses: that needs cgroup v2', {
    subject: id,
    next,
  })
}

/** Monotonic time of the machine, as in systemd's timestamps: `Clock.monotonic` begins with the process. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6
