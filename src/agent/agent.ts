import { rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { AddressDriver } from '../drivers/address/address.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { ExitStatus, SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import type { Clock } from '../lib/clock.ts'
import type { DesiredInstance, DesiredState } from '../protocol/desiredState.ts'
import type { Applied, Endpoints, Report, ReportedInstance } from '../protocol/report.ts'
import type { ReleaseCache } from '../releases/releaseCache.ts'
import { acceptDesired } from './acceptDesired.ts'
import { seenOf, type AgentDisk } from './agentDisk.ts'
import { LocalInstance } from './localInstance.ts'
import type { InstancePorts } from './ports.ts'
import type { Preparer } from './preparer.ts'
import type { Programs } from './programs.ts'
import type { ReleaseFetcher } from './releaseFetcher.ts'
import { Router } from './router.ts'

export interface AgentParts {
  machine: string
  version: string
  boot: number
  endpoints: () => Endpoints
  tcpOffset: number
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  address: AddressDriver
  cache: ReleaseCache
  /** Largest size of the release cache in bytes; `null`: no cap. */
  cacheCapBytes: number | null
  keepLast: number
  disk: AgentDisk
  ports: InstancePorts
  programs: Programs
  fetcher: ReleaseFetcher
  preparer: Preparer
  clock: Clock
  random: () => number
  logger: Logger
}

/** Makes the desired state so on this machine, again and again, and says what it observes. */
export class Agent {
  /** Called whenever a report would say something new. */
  onChange: () => void = () => {}
  #parts: AgentParts
  #desired: DesiredState | null
  #refused: Report['refused'] = null
  #instances = new Map<string, LocalInstance>()
  #stopping = new Set<string>()
  #applied: Applied = { supervisor: 0, balancer: 0, address: 0 }
  #removedData = new Set<string>()
  #problems = new Map<string, string>()
  #router: Router
  #seq = 0
  #closing = false

  constructor(parts: AgentParts) {
    this.#parts = parts
    this.#desired = parts.disk.readDesired()
    this.#router = new Router(parts.balancer, parts.tcpOffset, {
      applied: (position) => {
        this.#applied = { ...this.#applied, balancer: position }
        this.#problems.delete('balancer')
        this.onChange()
      },
      failed: (error) => this.#problem('balancer', error),
    })
    parts.supervisor.onExit((exit) => this.#exited(exit))
    parts.balancer.onChange(() => this.onChange())
  }

  /** Ends or adopts what an earlier agent left, then brings back what this machine last ran, controller or not. */
  async start(): Promise<void> {
    const { ended, adopted } = await this.#parts.supervisor.recover()
    if (ended.length > 0) this.#parts.logger.warn({ ended }, 'ended what a killed agent had left running')
    if (adopted.length > 0) this.#parts.logger.info({ adopted }, 'adopted running instances')
    if (this.#desired) this.#reconcile(this.#desired)
  }

  /** Takes a desired state from a controller: obeys it, or says why not. */
  accept(desired: DesiredState): void {
    const seen = seenOf(this.#desired)
    const acceptance = acceptDesired(seen, desired)
    if (!acceptance.accepted) {
      if (this.#refused === null) this.#parts.logger.warn(acceptance.message)
      this.#refused = { code: 'E_LOG_BEHIND', message: acceptance.message }
      return this.onChange()
    }
    this.#refused = null
    this.#parts.disk.writeDesired(desired)
    this.#desired = desired
    this.#reconcile(desired)
    this.onChange()
  }

  report(): Report {
    const { machine, boot, version, endpoints, fetcher, preparer, supervisor } = this.#parts
    const { memory, cpu, tasks, why } = supervisor.abilities
    return {
      ...{ machine, boot, version, seq: ++this.#seq, endpoints: endpoints() },
      seen: seenOf(this.#desired),
      refused: this.#refused,
      applied: this.#applied,
      fetched: [...fetcher.fetched],
      fetchFailures: [...fetcher.failures].map(([release, message]) => ({ release, message })),
      instances: [...this.#instances.values()].map((instance) => this.#reported(instance)),
      prepared: preparer.results().map(({ rollout, ok, reason }) => ({ rollout, ok, reason })),
      removedData: [...this.#removedData],
      problems: [...this.#problems.values()],
      limits: { memory, cpu, tasks, why },
      held: this.#refused ? this.#desired : null,
    }
  }

  get desired(): DesiredState | null {
    return this.#desired
  }

  get instances(): ReadonlyMap<string, LocalInstance> {
    return this.#instances
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#parts.fetcher.close()
    this.#parts.preparer.close()
    await this.#parts.balancer.close()
    await Promise.all([...this.#instances.values()].map((instance) => instance.stop(async () => {})))
    await this.#parts.supervisor.close()
    await this.#parts.address.close()
  }

  #reconcile(desired: DesiredState): void {
    const wanted = new Map(desired.instances.map((instance) => [instance.id, instance]))
    for (const instance of wanted.values()) if (!this.#instances.has(instance.id)) this.#start(instance, desired)
    for (const id of this.#instances.keys()) if (!wanted.has(id)) void this.#stop(id)
    this.#parts.fetcher.want(desired.fetch)
    this.#parts.preparer.want(desired)
    void this.#removeData(desired)
    this.#applied = { ...this.#applied, supervisor: desired.position, address: desired.position }
    void this.#route()
  }

  #start({ id, release }: DesiredInstance, desired: DesiredState): void {
    const definition = desired.definitions[release]
    if (!definition) throw new Error(`desired state ${desired.position} names no definition of ${release}: a bug`)
    const { supervisor, programs, clock, random } = this.#parts
    const instance = new LocalInstance(
      { id, release, definition },
      {
        supervisor,
        prepareStart: (signal) => programs.instance({ id, release, definition }, signal),
        changed: () => this.#instanceChanged(),
        now: () => clock.now(),
        random,
      },
    )
    this.#instances.set(id, instance)
  }

  /** Out of the routes first, then its idle connections, its signal, its grace; only then what is left is cut. */
  async #stop(id: string): Promise<void> {
    const instance = this.#instances.get(id)
    if (!instance || this.#stopping.has(id)) return
    this.#stopping.add(id)
    const { balancer, ports, logger } = this.#parts
    try {
      await this.#route()
      await instance.stop(() => balancer.release(id))
      balancer.cut(id)
      this.#instances.delete(id)
      ports.release(id)
    } catch (error) {
      logger.error({ err: error, instance: id }, 'an instance could not be stopped; it is tried again')
      this.#problem('supervisor', error)
    } finally {
      this.#stopping.delete(id)
    }
    this.#instanceChanged()
    await this.#collect()
  }

  #instanceChanged(): void {
    if (this.#closing) return
    void this.#route()
    this.onChange()
  }

  /** Resolves when the balancer follows what is known now; failures are kept as problems and tried again. */
  #route(): Promise<void> {
    return this.#desired ? this.#router.route(this.#desired, this.#instances) : Promise.resolve()
  }

  #exited(exit: ExitStatus): void {
    this.#instances.get(exit.id)?.exited(exit)
    this.#parts.programs.exited(exit)
  }

  #reported(instance: LocalInstance): ReportedInstance {
    const { id, release, definition, state, reason, port, pid, since, restarts, unstable } = instance
    const traffic = this.#desired?.instances.find((one) => one.id === id)?.traffic
    const { work, long } = this.#parts.balancer.inFlight(id)
    const retired = state === 'ready' && traffic === 'idle' && work > 0
    return {
      ...{ id, service: definition.service, release, reason, port, pid, restarts, unstable, work, long },
      state: retired ? 'draining' : state,
      since: new Date(since).toISOString(),
    }
  }

  async #removeData({ removedData }: DesiredState): Promise<void> {
    for (const service of this.#removedData) if (!removedData.includes(service)) this.#removedData.delete(service)
    for (const service of removedData) {
      const used = [...this.#instances.values()].some(({ definition }) => definition.service === service)
      if (used || this.#removedData.has(service)) continue
      try {
        await rm(this.#parts.disk.dataFolder(service), { recursive: true, force: true })
        await this.#parts.supervisor.forget(service)
        this.#removedData.add(service)
        this.onChange()
      } catch (error) {
        this.#problem('data', error)
      }
    }
  }

  async #collect(): Promise<void> {
    const { cache, cacheCapBytes: capBytes, keepLast: lastPerService } = this.#parts
    const keep = new Set([...(this.#desired?.keep ?? []), ...(this.#desired?.fetch ?? [])])
    try {
      await cache.collect({ keep, lastPerService, capBytes })
    } catch (error) {
      this.#problem('cache', error)
    }
  }

  #problem(of: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#parts.logger.error({ err: error, of }, 'a driver failed')
    this.#problems.set(of, `${of}: ${message}`.slice(0, 500))
    this.onChange()
  }

  /** Tries again what failed: called now and then. */
  retry(): void {
    if (!this.#desired || this.#closing) return
    for (const id of this.#instances.keys()) {
      if (!this.#desired.instances.some((one) => one.id === id)) void this.#stop(id)
    }
    if (this.#problems.has('balancer')) void this.#route()
    void this.#removeData(this.#desired)
  }
}
