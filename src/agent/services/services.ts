import type { Logger } from 'pino'
import type { BalancerDriver, Unserved } from '../../drivers/balancer/balancer.ts'
import type { ExitStatus, SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Clock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Applied, Report } from '../../protocol/report.ts'
import { ReportedInstances, shortened } from '../agentReport.ts'
import type { InstanceLimits } from '../instanceLimits.ts'
import type { JobPrograms } from '../jobs/jobPrograms.ts'
import type { LocalInstance } from '../localInstance.ts'
import type { Loopback } from '../loopback.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { InstancePorts } from '../ports.ts'
import type { Problems } from '../problems.ts'
import type { ReleaseLauncher } from '../releaseLauncher.ts'
import { FullEntries } from './fullEntries.ts'
import { expensiveProbes } from '../probing/expensiveProbes.ts'
import type { InstanceMemory } from './instanceMemory.ts'
import { InstanceSet } from './instanceSet.ts'
import { Router } from './router.ts'

interface Parts {
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  tcpOffset: number
  ports: InstancePorts
  launcher: ReleaseLauncher
  programs: JobPrograms
  memory: InstanceMemory
  loopback: Loopback
  problems: Problems
  clock: Clock
  random: () => number
  logger: Logger
  limits: Partial<InstanceLimits> | undefined
  changed: () => void
  /** Called when an instance fails, each time. */
  failed: (instance: LocalInstance) => void
  /** Called when nothing is left of an instance: the release it ran may be collected. */
  gone: () => void
  /** Called when the stop signal of an instance is about to be sent. */
  stops: (id: string) => void
}

type Slice = Pick<Report, 'instances' | 'unserved' | 'limits'>

/** The instances of this machine, and the routes to them. */
export class Services implements MachineFeature<Slice> {
  #parts: Parts
  #desired: DesiredState | null = null
  #instances: InstanceSet
  #router: Router
  #unserved: Unserved[] = []
  #applied: Pick<Applied, 'supervisor' | 'balancer'> = { supervisor: 0, balancer: 0 }
  #entries = new FullEntries()
  #reported = new ReportedInstances()
  #isClosing = false

  constructor(parts: Parts) {
    const { tcpOffset, logger: _, changed, ...rest } = parts
    const { supervisor, balancer, programs } = parts
    this.#parts = parts
    this.#instances = new InstanceSet({
      ...rest,
      route: () => this.#route(),
      changed: () => this.#instanceChanged(),
    })
    this.#router = new Router(balancer, tcpOffset, {
      applied: (position, unserved) => this.#routed(position, unserved),
      failed: (error) => this.#failed('balancer', error),
    })
    supervisor.onMainEnd((end) => this.all.get(end.id)?.mainEnded(end))
    supervisor.onExit((exit: ExitStatus) => {
      this.all.get(exit.id)?.exited(exit)
      programs.exited(exit)
    })
    supervisor.onRestart?.(({ id, pid }) => this.all.get(id)?.restarted(pid))
    supervisor.onGiveUp?.((id) => this.all.get(id)?.notRestarted())
    balancer.onChange(changed)
  }

  get all(): ReadonlyMap<string, LocalInstance> {
    return this.#instances.all
  }

  /** The instances that a balancer may send requests to. */
  takingRequests(): { id: string; service: string }[] {
    const all = [...this.all.values()].filter(({ definition }) => definition.listen !== 'none')
    return all.map(({ id, definition: { service } }) => ({ id, service }))
  }

  /** Ends or adopts the instances that an earlier agent left. */
  async start(): Promise<void> {
    const { supervisor, logger } = this.#parts
    const { ended, adopted, left = [] } = await supervisor.recover()
    if (ended.length > 0) logger.warn({ ended }, 'stopped processes that a killed agent left running')
    if (left.length > 0) logger.error({ left }, 'could not stop processes that an earlier agent left running; retrying')
    if (adopted.length > 0) logger.info({ adopted }, 'adopted running instances')
    this.#instances.found(adopted, adopted.length > 0 ? await this.#serving() : new Set())
  }

  settled(): Promise<void> {
    return this.#instances.judged()
  }

  want(desired: DesiredState): void {
    this.#desired = desired
    this.#instances.want(desired)
    this.#applied = { ...this.#applied, supervisor: desired.position }
    void this.#admit(desired)
    void this.#route()
  }

  report(): Slice {
    const { balancer, supervisor } = this.#parts
    const { memory, cpu, tasks, why } = supervisor.abilities
    const wanted = new Map(this.#desired?.instances.map((one) => [one.id, one.traffic]))
    return {
      instances: [...this.all.values()].map((one) => this.#reported.of(one, wanted.get(one.id), balancer)),
      unserved: this.#unserved.map(({ service, reason }) => ({ service, reason: shortened(reason) })),
      limits: { memory, cpu, tasks, why },
    }
  }

  applied(): Partial<Applied> {
    return this.#applied
  }

  retry(): void {
    if (!this.#desired) return
    this.#instances.endUnwanted()
    const { problems } = this.#parts
    if (problems.has('balancer') || this.#unserved.length > 0) void this.#route()
    if (problems.has('admission')) void this.#admit(this.#desired)
    void this.#revive()
  }

  problems(): string[] {
    const { balancer, supervisor, clock } = this.#parts
    return [
      ...(supervisor.problems?.() ?? []),
      ...this.#unserved.map(({ reason }) => reason),
      ...expensiveProbes(this.all.values()),
      ...(balancer.problems?.() ?? []),
      ...this.#entries.problems(balancer.counters(), clock.monotonic()),
    ]
  }

  stop(): void {
    this.#isClosing = true
  }

  /** A failure in one part does not keep the other parts from ending. */
  async close(): Promise<void> {
    this.#isClosing = true
    const { balancer, supervisor } = this.#parts
    const ends = [
      ...(await Promise.allSettled([balancer.close()])),
      ...(await this.#instances.close()),
      ...(await Promise.allSettled([supervisor.close()])),
    ]
    const errors = ends.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    if (errors.length > 0) throw new AggregateError(errors, 'not every instance or route could be ended')
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

  /**
   * Members of the cluster are the machines that the state names; a machine it does not name may no longer forward
   * requests here.
   */
  async #admit({ peers, settings }: DesiredState): Promise<void> {
    if (!settings) return
    try {
      await this.#parts.balancer.admit?.(peers.map(({ machine }) => machine))
      this.#parts.problems.solved('admission')
    } catch (error) {
      this.#failed('admission', error)
    }
  }

  #instanceChanged(): void {
    if (this.#isClosing) return
    this.#parts.memory.keep(this.all)
    void this.#route()
    this.#parts.changed()
  }

  /** Resolves when the balancer follows the current state; failures are kept as problems and retried. */
  async #route(): Promise<void> {
    await this.#instances.judged()
    if (!this.#desired || this.#isClosing) return
    const waiting = [...this.all.values()].filter(({ awaitsRoute }) => awaitsRoute)
    const readySince = waiting.map(({ since }) => since)
    await this.#router.route(this.#desired, this.all)
    // One that failed and became ready again meanwhile waits for a newer plan.
    for (const [index, one] of waiting.entries()) if (one.since === readySince[index]) one.awaitsRoute = false
    if (waiting.length > 0) this.#parts.changed()
  }

  async #revive(): Promise<void> {
    const { balancer, logger } = this.#parts
    try {
      if (!(await balancer.needsPlan?.())) return
    } catch {
      return // the next heartbeat asks again
    }
    logger.warn(
      'the balancer does not start with its last routes; applying them again, without those that it cannot have',
    )
    await this.#route()
  }

  #routed(position: number, unserved: Unserved[]): void {
    const isNew = position !== this.#applied.balancer || JSON.stringify(unserved) !== JSON.stringify(this.#unserved)
    this.#parts.problems.solved('balancer')
    this.#unserved = unserved
    this.#applied = { ...this.#applied, balancer: position }
    if (isNew) this.#parts.changed()
  }

  #failed(part: 'balancer' | 'admission', error: unknown): void {
    if (!this.#isClosing) this.#parts.problems.add(part, error)
  }
}
