import { KeyedQueue } from '../../lib/keyedQueue.ts'
import type { BalancerChange, BalancerCounters, BalancerDriver, InFlight, RoutingPlan, Unserved } from './balancer.ts'

/** A balancer without sockets: it records the plans that it got and does what a test requests. */
export class FakeBalancer implements BalancerDriver {
  readonly name = 'fake'
  readonly ports = { http: 0, forward: 0 }
  /** Every plan that was applied, oldest first. */
  readonly plans: RoutingPlan[] = []
  readonly released: string[] = []
  readonly cuts: string[] = []
  readonly #listeners: ((change: BalancerChange) => void)[] = []
  readonly #inFlight = new Map<string, InFlight>()
  #failures: Error[] = []
  #gates: Promise<void>[] = []
  readonly #queue = new KeyedQueue()
  #closed = false

  /** The result of `apply`: routes that could not be opened. A test may change it. */
  unserved: Unserved[] = []

  /** The plan in force. */
  get plan(): RoutingPlan | null {
    return this.plans.at(-1) ?? null
  }

  /** Makes the next `apply` reject with this error, without any change. */
  failNextApply(error: Error): void {
    this.#failures.push(error)
  }

  /** Makes the next `apply` take effect only once this promise has resolved. */
  delayNextApply(until: Promise<void>): void {
    this.#gates.push(until)
  }

  setInFlight(instance: string, inFlight: InFlight): void {
    const before = this.inFlight(instance).work
    this.#inFlight.set(instance, inFlight)
    if (before > 0 && inFlight.work === 0 && !activeInstances(this.plan).has(instance)) this.#idle(instance)
  }

  /** Reports a change as if the balancer had found it. */
  tell(change: BalancerChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  listen(): Promise<void> {
    this.ports.http = 1
    this.ports.forward = 2
    return Promise.resolve()
  }

  apply(plan: RoutingPlan): Promise<Unserved[]> {
    const [gate, failure] = [this.#gates.shift(), this.#failures.shift()]
    return this.#queue.run('apply', async () => {
      await gate
      if (this.#closed) throw new Error('the balancer is closed and accepts no more plans')
      if (failure) throw failure
      this.#applyNow(plan)
      return this.unserved
    })
  }

  inFlight(instance: string): InFlight {
    return this.#inFlight.get(instance) ?? { work: 0, long: 0 }
  }

  onChange(listener: (change: BalancerChange) => void): void {
    this.#listeners.push(listener)
  }

  release(instance: string): Promise<void> {
    this.released.push(instance)
    return Promise.resolve()
  }

  cut(instance: string): void {
    this.cuts.push(instance)
    this.setInFlight(instance, { work: 0, long: 0 })
  }

  counters(): BalancerCounters {
    return { requests: [], retries: 0, refused: [], held: 0, openConnections: 0 }
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #applyNow(plan: RoutingPlan): void {
    const [before, named] = [activeInstances(this.plan), namedInstances(this.plan)]
    this.plans.push(plan)
    const [active, namedNow] = [activeInstances(plan), namedInstances(plan)]
    for (const instance of named) {
      const changed = before.has(instance) || !namedNow.has(instance)
      if (changed && !active.has(instance) && this.inFlight(instance).work === 0) this.#idle(instance)
    }
  }

  #idle(instance: string): void {
    this.tell({ type: 'idle', instance })
  }
}

function activeInstances(plan: RoutingPlan | null): Set<string> {
  const targets = plan?.routes.flatMap((route) => route.targets) ?? []
  return new Set(targets.filter(({ state }) => state === 'active').map(({ instance }) => instance))
}

function namedInstances(plan: RoutingPlan | null): Set<string> {
  return new Set(plan?.routes.flatMap((route) => route.targets.map(({ instance }) => instance)))
}
