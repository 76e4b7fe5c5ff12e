import { withProbeHost } from '../definitions/probeHost.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { SupervisorDriver } from '../drivers/supervisor/supervisor.ts'
import { pause } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import type { DesiredInstance, DesiredState } from '../protocol/desiredState.ts'
import type { InstanceMemory } from './instanceMemory.ts'
import type { InstanceLimits } from './instanceLimits.ts'
import { LocalInstance, type Adopted } from './localInstance.ts'
import type { InstancePorts } from './ports.ts'
import type { Problems } from './problems.ts'
import type { Programs } from './programs.ts'

interface Parts {
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  ports: InstancePorts
  programs: Programs
  problems: Problems
  memory: InstanceMemory
  clock: Clock
  random: () => number
  limits: Partial<InstanceLimits> | undefined
  /** Resolves when the balancer follows what is known of the instances now, or has failed to. */
  route: () => Promise<void>
  /** Something of an instance is not as it was. */
  changed: () => void
  /** Nothing is left of one; what it ran may be collected. */
  gone: () => void
}

/** How long adopted instances are waited for before traffic is routed by what is known. */
const judgeMs = 2_000

/** The instances of this machine: brought to what is wanted, one by one, each with the care its traffic needs. */
export class InstanceSet {
  readonly #parts: Parts
  readonly #all = new Map<string, LocalInstance>()
  readonly #stopping = new Set<string>()
  /** Found running, before a desired state has said what becomes of them. */
  readonly #adopted = new Map<string, Adopted>()
  /** Found running, and wanted by nobody. */
  readonly #unwanted = new Set<string>()
  #wanted: DesiredState | null = null
  #judging: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get all(): ReadonlyMap<string, LocalInstance> {
    return this.#all
  }

  /** Resolves once what was adopted has been asked how it is: nothing is routed by what is not known yet. */
  judged(): Promise<void> {
    return this.#judging
  }

  /** `serving`: of these, the ones that requests go to now. */
  found(adopted: readonly string[], serving: ReadonlySet<string>): void {
    for (const id of adopted) this.#adopted.set(id, serving.has(id) ? 'serving' : 'running')
  }

  /**
   * Starts what is missing, stops what is not wanted. What was adopted is asked first, before a balancer that went on without
   * the agent is told that nothing is ready; a machine that has lost its desired state does so with the first it is told.
   */
  want(desired: DesiredState): void {
    this.#wanted = desired
    const found = new Map(this.#adopted)
    const adopted = [...found.keys()]
    this.#adopted.clear()
    const judged = Promise.withResolvers<void>()
    if (adopted.length > 0) this.#judging = judged.promise
    this.#startMissing(found)
    void this.#judge(adopted).then(judged.resolve)
    for (const id of adopted) if (!this.#all.has(id)) this.#unwanted.add(id)
    this.endUnwanted()
  }

  /** Also tries again what could not be ended before. */
  endUnwanted(): void {
    const wanted = new Set(this.#wanted?.instances.map(({ id }) => id))
    for (const id of this.#all.keys()) if (this.#wanted && !wanted.has(id)) void this.#stop(id)
    if (this.#unwanted.size > 0) void this.#endAdopted([...this.#unwanted])
  }

  /** Ends those that do not outlive the agent, and lets go of the others. */
  async close(): Promise<PromiseSettledResult<void>[]> {
    this.#isClosing = true
    const { outlivesAgent } = this.#parts.supervisor.abilities
    const end = (instance: LocalInstance): Promise<void> =>
      outlivesAgent ? instance.leave() : instance.stop(async () => {})
    return Promise.allSettled([...this.#all.values()].map(end))
  }

  async #judge(adopted: string[]): Promise<void> {
    if (adopted.length === 0) return
    const judged = adopted.flatMap((id) => this.#all.get(id)?.judged() ?? [])
    const over = new AbortController()
    await Promise.race([Promise.all(judged), pause(judgeMs, over.signal)])
    over.abort()
    for (const { id, port } of this.#all.values()) if (port !== null) this.#parts.ports.adopt(id, port)
  }

  /** Out of the routes before it ends, as any other. */
  async #endAdopted(ids: string[]): Promise<void> {
    const { balancer, supervisor, problems, route } = this.#parts
    await route()
    const end = async (id: string): Promise<void> => {
      if (this.#isClosing) return
      try {
        await balancer.release(id)
        await supervisor.stop(id)
        balancer.cut(id)
        this.#unwanted.delete(id)
        problems.solved(`stop ${id}`)
      } catch (error) {
        problems.add(`stop ${id}`, error)
      }
    }
    await Promise.all(ids.map(end))
  }

  #startMissing(found: ReadonlyMap<string, Adopted> = new Map()): void {
    const desired = this.#wanted
    if (!desired || this.#isClosing) return
    for (const instance of desired.instances) {
      if (!this.#all.has(instance.id)) this.#start(instance, desired, found.get(instance.id) ?? null)
    }
  }

  #start({ id, release }: DesiredInstance, desired: DesiredState, adopted: Adopted | null): void {
    const described = desired.definitions[release]
    if (!described) throw new Error(`desired state ${desired.position} names no definition of ${release}: a bug`)
    const definition = withProbeHost(described, desired.probeHosts[release])
    const { supervisor, programs, memory, clock, random, limits, changed } = this.#parts
    const instance = new LocalInstance(
      { id, release, definition, adopted, remembered: memory.recall(id) },
      {
        ...{ supervisor, clock, random, limits, changed, crowd: () => this.#all.size },
        prepareStart: (signal) => programs.instance({ id, release, definition }, signal),
      },
    )
    this.#all.set(id, instance)
  }

  /** Out of the routes first, then its idle connections, its signal, its grace; only then what is left is cut. */
  async #stop(id: string): Promise<void> {
    const instance = this.#all.get(id)
    if (!instance || this.#stopping.has(id)) return
    this.#stopping.add(id)
    const { balancer, ports, problems, route, changed, gone } = this.#parts
    try {
      await route()
      await instance.stop(() => balancer.release(id))
      balancer.cut(id)
      this.#all.delete(id)
      ports.release(id)
      problems.solved(`stop ${id}`)
    } catch (error) {
      problems.add(`stop ${id}`, error)
    } finally {
      this.#stopping.delete(id)
    }
    // Wanted again meanwhile, as after a recovery.
    this.#startMissing()
    changed()
    gone()
  }
}
