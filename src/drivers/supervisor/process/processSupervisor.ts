import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../lib/clock.ts'
import { sha256 } from '../../../lib/hash.ts'
import { randomId } from '../../../lib/ids.ts'
import type { Limits } from '../../../definitions/definition.ts'
import { checkName } from '../instanceName.ts'
import { alreadyRunning, whyNotStarted } from '../startRefusal.ts'
import { findOwner } from './socketOwner.ts'
import { findCgroups, type Cgroups } from '../cgroup/cgroups.ts'
import { supervisorLimits, type SupervisorLimits } from '../limits.ts'
import type { InstanceLog } from '../logs/instanceLog.ts'
import { createInstanceLogs } from '../logs/instanceLogs.ts'
import type { ExitStatus, InstanceSpec, MainEnd, SupervisorDriver } from '../supervisor.ts'
import { openRecordShelf } from './instanceRecord.ts'
import { filesFolder } from './credentialFolder.ts'
import type { ProcessHouse } from './processHouse.ts'
import { ProcessInstance } from './processInstance.ts'
import type { ProcessTable } from './processTable.ts'
import { procProcessTable } from './procProcessTable.ts'
import { psProcessTable } from './psProcessTable.ts'
import { recoverInstances } from './recovery.ts'
import { lsofSocketTable, procSocketTable, type SocketTable } from './sockets.ts'

export interface ProcessSupervisorOptions {
  /** Holds `instances/` (records), `logs/` and `streams/`. One agent at a time may use it. */
  dir: string
  machine: string
  clock: Clock
  limits?: Partial<SupervisorLimits>
  /** Instances run as this user; the agent must be root. Default: the user of the agent. */
  runAs?: { uid: number; gid: number }
  cgroups?: Cgroups
  table?: ProcessTable
  sockets?: SocketTable
}

const onLinux = process.platform === 'linux'

/**
 * Runs instances as children of the agent (laptop). They end with it: at `close`, or at `recover` of the next agent.
 */
export function createProcessSupervisor(options: ProcessSupervisorOptions): SupervisorDriver {
  const house = openHouse(options)
  const { cgroups, table } = house
  const sockets = options.sockets ?? (onLinux ? procSocketTable : lsofSocketTable)
  const logs = createInstanceLogs(join(options.dir, 'logs'), options.clock, house.limits)
  const instances = new Map<
    string,
    { started: Promise<ProcessInstance>; running: ProcessInstance | null; over: Promise<void> }
  >()
  const listeners: ((exit: ExitStatus) => void)[] = []
  const mainEndListeners: ((end: MainEnd) => void)[] = []
  let closing: Promise<void> | null = null

  const begin = async (spec: InstanceSpec, log: InstanceLog): Promise<ProcessInstance> => {
    try {
      const instance = await ProcessInstance.start(house, spec, log)
      log.append('tandem', [
        `started: pid ${instance.pid}, release ${spec.release.slice(0, 12)}`,
        ...unenforced(cgroups, spec.limits),
      ])
      return instance
    } catch (error) {
      log.append('tandem', [`not started: ${whyNotStarted(error)}`])
      await log.end()
      instances.delete(spec.id)
      throw error
    }
  }

  const conclude = async (started: Promise<ProcessInstance>, log: InstanceLog): Promise<void> => {
    let instance: ProcessInstance
    try {
      instance = await started
    } catch {
      return // the caller of `start` gets the error
    }
    void instance.mainEnd().then((end) => end && mainEndListeners.forEach((listener) => listener(end)))
    const exit = await instance.over()
    await log.end()
    instances.delete(instance.spec.id)
    for (const listener of listeners) listener(exit)
  }

  const stop = async (id: string): Promise<void> => {
    const entry = instances.get(id)
    if (entry === undefined) return
    let instance: ProcessInstance
    try {
      instance = await entry.started
    } catch {
      return // it never ran
    }
    await instance.end()
    await entry.over
  }

  const stopAll = async (): Promise<void> => {
    const results = await Promise.allSettled([...instances.keys()].map(stop))
    await logs.close()
    cgroups.close()
    throwFailures(results)
  }

  return {
    name: 'process',
    abilities: { ...cgroups.abilities, outlivesAgent: false },
    recover: async () => ({ adopted: [], ended: await recoverInstances(house) }),
    start: async (wanted) => {
      const spec = besideRunning(wanted, (id) => instances.get(id)?.running?.spec)
      if (closing !== null) throw new Error(`the supervisor is closing: ${spec.id} is not started`)
      checkName(spec.id)
      checkName(spec.service)
      if (instances.has(spec.id)) throw alreadyRunning(spec.id)
      const log = logs.open(spec.service, spec.id)
      const started = begin(spec, log)
      const entry = { started, running: null as ProcessInstance | null, over: conclude(started, log) }
      instances.set(spec.id, entry)
      entry.running = await started
      const { pid, streams } = entry.running
      return { pid, ...(streams ? { streams } : {}) }
    },
    stop,
    ownsSocket: async (id, port) => {
      const instance = instances.get(id)?.running
      return instance?.alive === true && (await instance.listens(sockets, port))
    },
    whoOwns: (port) => findOwner(table, sockets, port),
    isAlive: (id) => instances.get(id)?.running?.alive === true,
    filesFolder: (id) => filesFolder(house, id),
    resize: async (id, size) => instances.get(id)?.running?.resize(size),
    onMainEnd: (listener) => void mainEndListeners.push(listener),
    onExit: (listener) => void listeners.push(listener),
    logs: (query) => logs.query(query),
    forget: (service) => logs.forget(service),
    abandon: () => {
      for (const { running } of instances.values()) running?.kill()
    },
    close: () => (closing ??= stopAll()),
  }
}

function throwFailures(results: readonly PromiseSettledResult<void>[]): void {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (errors.length > 0) throw new AggregateError(errors, 'could not stop some instances')
}

/** A program beside an instance gets what that instance was started with. */
function besideRunning(spec: InstanceSpec, running: (id: string) => InstanceSpec | undefined): InstanceSpec {
  if (spec.beside === undefined) return spec
  const { env, cwd, limits } = running(spec.beside.instance) ?? spec
  return { ...spec, cwd, limits, env: { ...env, ...spec.beside.env } }
}

function openHouse(options: ProcessSupervisorOptions): ProcessHouse {
  const { dir, machine, clock, runAs } = options
  return {
    // The folder belongs to this agent alone: a program that outlived the last agent for a moment cannot create files
    // here.
    runFolder: ownFolder(streamsFolder(dir)),
    records: openRecordShelf(join(dir, 'instances')),
    limits: { ...supervisorLimits, ...options.limits },
    table: options.table ?? (onLinux ? procProcessTable : psProcessTable),
    cgroups: options.cgroups ?? findCgroups(`${machine}-${sha256(dir).slice(0, 8)}`),
    ...{ clock, runAs },
  }
}

/**
 * Earlier versions use `run/`, and do not start where it holds a folder: none is left there for a downgrade. Renamed,
 * because on a full disk no folder can be created.
 */
function streamsFolder(dir: string): string {
  const [former, streams] = [join(dir, 'run'), join(dir, 'streams')]
  if (!existsSync(former)) return streams
  if (existsSync(streams)) rmSync(former, { recursive: true })
  else renameSync(former, streams)
  return streams
}

/**
 * Creates a folder that no other process knows. Renames a leftover folder if there is one: on a full disk none can be
 * created.
 */
function ownFolder(parent: string): string {
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  const own = join(parent, randomId())
  const left = readdirSync(parent, { withFileTypes: true }).find((one) => one.isDirectory())
  if (left) renameSync(join(parent, left.name), own)
  else mkdirSync(own, { mode: 0o700 })
  for (const name of readdirSync(own)) rmSync(join(own, name), { recursive: true, force: true })
  return own
}

function unenforced({ abilities }: Cgroups, limits: Limits): string[] {
  const asked = { memory: limits.memoryBytes !== null, cpu: limits.cpu !== null, tasks: limits.tasks !== null }
  const lacking = (['memory', 'cpu', 'tasks'] as const).filter((name) => asked[name] && !abilities[name])
  return lacking.length === 0 ? [] : [`limits not enforced: ${lacking.join(', ')} (${abilities.why ?? 'unknown'})`]
}
