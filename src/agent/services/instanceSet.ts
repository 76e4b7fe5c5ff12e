import { withProbeHost } from '../../definitions/probeHost.ts'
import type { BalancerDriver } from '../../drivers/balancer/balancer.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { DesiredInstance } from '../../protocol/services.ts'
import type { InstanceMemory } from './instanceMemory.ts'
import type { InstanceLimits } from '../instanceLimits.ts'
import { LocalInstance, type Adopted } from '../localInstance.ts'
import type { Loopback } from '../loopback.ts'
import type { InstancePorts } from '../ports.ts'
import type { Problems } from '../problems.ts'
import { proberOf } from '../probing/proberOf.ts'
import type { ReleaseLauncher } from '../releaseLauncher.ts'

interface Parts {
  supervisor: SupervisorDriver
  balancer: BalancerDriver
  ports: InstancePorts
  launcher: ReleaseLauncher
  problems: Problems
  memory: InstanceMemory
  loopback: Loopback
  clock: Clock
  random: () => number
  limits: Partial<InstanceLimits> | undefined
  /** Resolves when the balancer follows the current state of the instances, or has failed to. */
  route: () => Promise<void>
  /** Called when something about an instance has changed. */
  changed: () => void
  /** Called when an instance fails, each time. */
  failed: (instance: LocalInstance) => void
  /** Called when nothing is left of an instance: the release it ran may be collected. */
  gone: () => void
  /** Called when the stop signal of an instance is about to be sent. */
  stops: (id: string) => void
}

/** How long routing waits for the first probes of adopted instances. */
const judgeMs = 2_000

/** The instances of this machine. Starts and stops each one to match the desired state, with care for its traffic. */
export class InstanceSet {
  readonly #parts: Parts
  readonly #all = new Map<string, LocalInstance>()
  readonly #stopping = new Set<string>()
  /** Instances found running, before a desired state decides what happens to them. */
  readonly #adopted = new Map<string, Adopted>()
  /** Instances found running that no desired state wants. */
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

  /** Resolves once adopted instances have been probed: nothing is routed by state that is not yet known. */
  judged(): Promise<void> {
    return this.#judging
  }

  /** `serving` holds the ids of those that receive requests now. */
  found(adopted: readonly string[], serving: ReadonlySet<string>): void {
    for (const id of adopted) this.#adopted.set(id, serving.has(id) ? 'serving' : 'running')
  }

  /**
   * Starts missing instances and stops unwanted ones. Adopted instances are probed first: the balancer kept running
   * without the agent, and must not get the message that nothing is ready. A machine that lost its desired state adopts
   * with the first state it receives.
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

  /** Also retries instances that could not be stopped before. */
  endUnwanted(): void {
    const wanted = new Set(this.#wanted?.instances.map(({ id }) => id))
    for (const id of this.#all.keys()) if (this.#wanted && !wanted.has(id)) void this.#stop(id)
    if (this.#unwanted.size > 0) void this.#endAdopted([...this.#unwanted])
  }

  /** Stops the instances that do not outlive the agent, and releases the others. */
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
    await Promise.race([Promise.all(judged), sleep(this.#parts.clock, judgeMs, over.signal)])
    over.abort()
    for (const { id, port } of this.#all.values()) if (port !== null) this.#parts.ports.adopt(id, port)
  }

  /** Takes an adopted instance out of the routes before it is stopped, like any other instance. */
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
    const { supervisor, launcher, memory, loopback, clock, random, limits, changed } = this.#parts
    const instance = new LocalInstance(
      { id, release, definition, adopted, remembered: memory.recall(id) },
      {
        ...{ supervisor, loopback, clock, random, limits, changed, crowd: () => this.#all.size },
        failed: (one) => this.#parts.failed(one),
        prepareStart: async (signal) => {
          await Promise.resolve() // the other features take the desired state in the same step
          // The balancer listens at the addresses of the services that it uses before it starts.
          if (launcher.callsServices(release)) await this.#parts.route()
          return launcher.instance({ id, release, definition }, signal)
        },
        prober: (port, signal) => proberOf({ id, release, definition, port }, this.#parts, signal),
      },
    )
    this.#all.set(id, instance)
  }

  /**
   * Takes the instance out of the routes, closes its idle connections, sends the signal, waits the grace, then cuts the
   * rest.
   */
  async #stop(id: string): Promise<void> {
    const instance = this.#all.get(id)
    if (!instance || this.#stopping.has(id)) return
    this.#stopping.add(id)
    const { balancer, ports, problems, route, changed, gone, stops } = this.#parts
    try {
      await route()
      await instance.stop(async () => {
        await balancer.release(id)
        stops(id)
      })
      balancer.cut(id)
      this.#all.delete(id)
      ports.release(id)
      problems.solved(`stop ${id}`)
    } catch (error) {
      problems.add(`stop ${id}`, error)
    } finally {
      this.#stopping.delete(id)
    }
    // The instance may be wanted again meanwhile, for example after a recovery.
    this.#startMissing()
    changed()
    gone()
  }
}
