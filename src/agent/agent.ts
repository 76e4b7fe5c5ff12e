import type { Logger } from 'pino'
import { openDataFolders } from '../drivers/supervisor/dataFolders.ts'
import { removeTree } from '../releases/removeTree.ts'
import type { AddressDriver } from '../drivers/address/address.ts'
import type { BalancerDriver, Unserved } from '../drivers/balancer/balancer.ts'
import type { ExitStatus, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import { abilities } from '../protocol/abilities.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { Applied, Endpoints, Report } from '../protocol/report.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import { acceptDesired } from './acceptDesired.ts'
import { AddressKeeper } from './addressKeeper.ts'
import { seenOf, type AgentDisk } from './agentDisk.ts'
import { reportedInstance, shortened } from './agentReport.ts'
import { DataRemover } from './dataRemover.ts'
import { FullEntries } from './fullEntries.ts'
import type { LateWrites } from './lateWrites.ts'
import type { MachineWork } from './machineWork.ts'
import { InstanceMemory } from './instanceMemory.ts'
import { InstanceSet } from './instanceSet.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import type { LocalInstance } from './localInstance.ts'
import type { InstancePorts } from './ports.ts'
import type { Preparer } from './preparer.ts'
import type { Problems } from './problems.ts'
import type { JobPrograms } from './jobs/jobPrograms.ts'
import type { ReleaseLauncher } from './releaseLauncher.ts'
import type { ReleaseFetcher } from './releaseFetcher.ts'
import { Router } from './router.ts'

export interface AgentParts {
  machine: string
  version: string
  boot: number
  /** The Tandem program that runs here; `null` where an upgrade cannot change it. */
  program?: () => Report['program']
  endpoints: () => Endpoints
  tcpOffset: number
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  address: AddressDriver
  cache: ReleaseCache
  /** Largest size of the release cache in bytes; `null` means no limit. */
  cacheCapBytes: number | null
  keepLast: number
  disk: AgentDisk
  ports: InstancePorts
  launcher: ReleaseLauncher
  programs: JobPrograms
  fetcher: ReleaseFetcher
  preparer: Preparer
  machineWork: MachineWork
  /** Problems of this agent; its parts add theirs too. */
  problems: Problems
  lateWrites: LateWrites
  /** Called with a controller's desired state once it is on disk and applied; never called with a refused state. */
  obeyed: (desired: DesiredState) => void
  /** Whether this agent may run maintenance on its machine. */
  maintains: boolean
  clock: Clock
  random: () => number
  logger: Logger
  instanceLimits?: Partial<InstanceLimits>
}

/** Brings this machine to the desired state, repeatedly, and reports what it observes. */
export class Agent {
  /** Called whenever the next report would contain something new. */
  onChange: () => void = () => {}
  #parts: AgentParts
  #desired: DesiredState | null
  /** Received from the controller, not yet obeyed because writing it to disk failed. */
  #unwritten: DesiredState | null = null
  #refused: Report['refused'] = null
  #instances: InstanceSet
  #memory: InstanceMemory
  #unserved: Unserved[] = []
  #applied: Applied = { supervisor: 0, balancer: 0, address: 0 }
  #problems: Problems
  #entries = new FullEntries()
  #data: DataRemover
  #router: Router
  #address: AddressKeeper
  #seq = 0
  #isClosing = false

  constructor(parts: AgentParts) {
    const { supervisor, balancer, address, disk, tcpOffset } = parts
    this.#parts = parts
    this.#desired = disk.readDesired()
    this.#problems = parts.problems
    this.#data = new DataRemover({
      folders: supervisor.dataFolders ?? openDataFolders([disk.data], removeTree),
      forget: (service) => supervisor.forget(service),
      isUsed: (service) => [...this.instances.values()].some(({ definition }) => definition.service === service),
      problems: this.#problems,
      changed: () => this.onChange(),
    })
    const { ports, launcher, clock, random, instanceLimits: limits } = parts
    this.#memory = new InstanceMemory(disk, parts.lateWrites)
    this.#instances = new InstanceSet({
      ...{
        supervisor,
        balancer,
        ports,
        launcher,
        problems: this.#problems,
        memory: this.#memory,
        clock,
        random,
        limits,
      },
      route: () => this.#route(),
      changed: () => this.#instanceChanged(),
      gone: () => void this.collect(),
    })
    const told = this.#driver('balancer')
    this.#router = new Router(balancer, tcpOffset, {
      ...told,
      applied: (position, unserved) => {
        const changed = JSON.stringify(unserved) !== JSON.stringify(this.#unserved)
        this.#unserved = unserved
        told.applied(position)
        if (changed) this.onChange()
      },
    })
    this.#address = new AddressKeeper(address, balancer, this.#driver('address'))
    address.onChange(() => this.onChange())
    supervisor.onMainEnd((end) => this.instances.get(end.id)?.mainEnded(end))
    supervisor.onExit((exit) => this.#exited(exit))
    supervisor.onRestart?.(({ id, pid }) => this.instances.get(id)?.restarted(pid))
    balancer.onChange(() => this.onChange())
  }

  /**
   * Ends or adopts the instances that an earlier agent left, then restores what this machine last ran, even without a
   * controller.
   */
  async start(): Promise<void> {
    const { supervisor, logger } = this.#parts
    const { ended, adopted, left = [] } = await supervisor.recover()
    if (ended.length > 0) logger.warn({ ended }, 'stopped processes that a killed agent left running')
    if (left.length > 0) logger.error({ left }, 'could not stop processes that an earlier agent left running; retrying')
    if (adopted.length > 0) logger.info({ adopted }, 'adopted running instances')
    await this.#data.want([])
    this.#instances.found(adopted, adopted.length > 0 ? await this.#serving() : new Set())
    if (!this.#desired) return
    this.#reconcile(this.#desired)
    await this.#instances.judged()
  }

  /**
   * Ids of the instances that receive requests now. Empty if the balancer cannot report them: then every instance is
   * probed first.
   */
  async #serving(): Promise<ReadonlySet<string>> {
    const { balancer, logger } = this.#parts
    try {
      return (await balancer.serving?.()) ?? new Set()
    } catch (error) {
      logger.warn(
        { err: error },
        'the balancer does not report where it sends requests; the agent probes all running instances first',
      )
      return new Set()
    }
  }

  /** Takes a desired state from the controller: obeys it, or records why it was refused. */
  accept(desired: DesiredState): void {
    if (this.#isClosing) return
    const refusal = this.#refusal(desired)
    if (refusal !== null) {
      if (this.#refused === null) this.#parts.logger.warn(refusal)
      this.#refused = { code: 'E_LOG_BEHIND', message: shortened(refusal) }
      this.#unwritten = null
      return this.onChange()
    }
    this.#refused = null
    this.#unwritten = desired
    this.#obey()
    this.onChange()
  }

  report(): Report {
    const { machine, boot, version, endpoints, fetcher, preparer, supervisor, balancer, address } = this.#parts
    const { memory, cpu, tasks, why } = supervisor.abilities
    return {
      ...{ machine, boot, version, seq: ++this.#seq, endpoints: endpoints() },
      abilities: [...abilities],
      program: this.#parts.program?.() ?? null,
      seen: seenOf(this.#desired),
      refused: this.#refused,
      applied: this.#applied,
      fetched: [...fetcher.fetched],
      fetchFailures: [...fetcher.failures].map(([release, message]) => ({ release, message: shortened(message) })),
      instances: [...this.instances.values()].map((one) => reportedInstance(one, this.#desired, balancer)),
      prepared: preparer.report(),
      removedData: [...this.#data.removed],
      maintenance: this.#parts.machineWork.report(),
      maintains: this.#parts.maintains,
      unserved: this.#unserved.map(({ service, reason }) => ({ service, reason: shortened(reason) })),
      addresses: {
        held: address.held(),
        withheld: address.withheld(),
        trouble: address.trouble(),
        reaches: address.reaches(),
      },
      problems: this.problems(),
      limits: { memory, cpu, tasks, why },
      held: this.#refused ? this.#desired : null,
    }
  }

  /** Problems on this machine, in words. */
  problems(): string[] {
    const { address, balancer, supervisor, clock } = this.#parts
    return [
      ...this.#problems.list(),
      ...address.problems(),
      ...(supervisor.problems?.() ?? []),
      ...this.#unserved.map(({ reason }) => reason),
      ...(balancer.problems?.() ?? []),
      ...this.#entries.problems(balancer.counters(), clock.monotonic()),
    ].map(shortened)
  }

  /** Why the agent refuses the controller's desired state; `null` if it obeys. */
  get refused(): Report['refused'] {
    return this.#refused
  }

  get desired(): DesiredState | null {
    return this.#desired
  }

  get instances(): ReadonlyMap<string, LocalInstance> {
    return this.#instances.all
  }

  /** Retries failed operations. Called with each heartbeat. */
  retry(): void {
    if (this.#isClosing) return
    this.#parts.lateWrites.retry()
    this.#obey()
    if (!this.#desired) return
    this.#parts.preparer.retry()
    this.#instances.endUnwanted()
    if (this.#problems.has('balancer') || this.#unserved.length > 0) void this.#route()
    if (this.#problems.has('admission')) void this.#admit(this.#desired)
    if (this.#problems.has('address')) void this.#address.keep(this.#desired)
    void this.#data.want(this.#desired.removedData)
  }

  /** Removes unneeded releases from the cache. Never rejects: a failure stays a problem until a later call succeeds. */
  async collect(): Promise<void> {
    const { cache, cacheCapBytes: capBytes, keepLast: lastPerService } = this.#parts
    try {
      await cache.collect(() => ({ keep: this.#needed(), lastPerService, capBytes }))
      this.#problems.solved('cache')
    } catch (error) {
      this.#problems.add('cache', error)
    }
  }

  /**
   * Ends everything that does not outlive the agent. A failure in one part does not keep the other parts from ending.
   */
  async close(): Promise<void> {
    this.#isClosing = true
    const { fetcher, preparer, balancer, supervisor, address } = this.#parts
    fetcher.close()
    const preparing = settled(preparer.close())
    this.#address.close()
    const parts = [
      await settled(this.#parts.machineWork.close()),
      await settled(balancer.close()),
      ...(await this.#instances.close()),
      await settled(supervisor.close()),
      await preparing,
      await settled(address.close()),
    ]
    const errors = parts.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    if (errors.length > 0) throw new AggregateError(errors, 'the agent could not stop everything')
  }

  #refusal(desired: DesiredState): string | null {
    const { machine } = this.#parts
    if (desired.machine !== machine)
      return `the desired state is meant for machine ${desired.machine}, but this machine is ${machine}`
    const acceptance = acceptDesired(seenOf(this.#desired), desired)
    return acceptance.accepted ? null : acceptance.message
  }

  /**
   * Writes the state to disk before it obeys: a restarted agent must know what it obeyed, or it could obey an older
   * controller.
   */
  #obey(): void {
    const desired = this.#unwritten
    if (!desired) return
    try {
      this.#parts.disk.writeDesired(desired)
    } catch (error) {
      return this.#problems.add('disk', error)
    }
    this.#problems.solved('disk')
    this.#unwritten = null
    this.#desired = desired
    this.#reconcile(desired)
    this.#parts.obeyed(desired)
  }

  #reconcile(desired: DesiredState): void {
    this.#instances.want(desired)
    this.#parts.fetcher.want(desired.fetch)
    this.#parts.preparer.want(desired)
    void this.#data.want(desired.removedData)
    this.#parts.machineWork.want(desired.maintenance, desired.orders)
    this.#applied = { ...this.#applied, supervisor: desired.position }
    void this.#address.keep(desired)
    void this.#admit(desired)
    void this.#route()
  }

  /**
   * Members of the cluster are the machines that the state names; a machine it does not name may no longer forward
   * requests here.
   */
  async #admit({ peers, settings }: DesiredState): Promise<void> {
    if (!settings) return
    try {
      await this.#parts.balancer.admit?.(peers.map(({ machine }) => machine))
      this.#problems.solved('admission')
    } catch (error) {
      if (!this.#isClosing) this.#problems.add('admission', error)
    }
  }

  #instanceChanged(): void {
    if (this.#isClosing) return
    this.#memory.keep(this.instances)
    void this.#route()
    this.onChange()
  }

  /** Resolves when the balancer follows the current state; failures are kept as problems and retried. */
  async #route(): Promise<void> {
    await this.#instances.judged()
    if (this.#desired && !this.#isClosing) await this.#router.route(this.#desired, this.instances)
  }

  #exited(exit: ExitStatus): void {
    this.instances.get(exit.id)?.exited(exit)
    this.#parts.programs.exited(exit)
  }

  #needed(): Set<string> {
    const { keep = [], fetch = [] } = this.#desired ?? {}
    const here = [...this.instances.values()].map(({ release }) => release)
    return new Set([...keep, ...fetch, ...here, ...this.#parts.programs.releasesInUse()])
  }

  #driver(name: 'balancer' | 'address'): { applied: (position: number) => void; failed: (error: unknown) => void } {
    return {
      applied: (position) => {
        this.#problems.solved(name)
        if (this.#applied[name] === position) return
        this.#applied = { ...this.#applied, [name]: position }
        this.onChange()
      },
      failed: (error) => {
        if (!this.#isClosing) this.#problems.add(name, error)
      },
    }
  }
}

const settled = async (promise: Promise<void>): Promise<PromiseSettledResult<void>> =>
  (await Promise.allSettled([promise]))[0]
