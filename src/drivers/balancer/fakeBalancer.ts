import { KeyedQueue } from '../../lib/keyedQueue.ts'
import {
  noAnswers,
  type BalancerChange,
  type BalancerCounters,
  type BalancerDriver,
  type BalancerNumbers,
  type InFlight,
  type InstanceNumbers,
  type RoutingPlan,
  type ServiceNumbers,
  type Unserved,
} from './balancer.ts'

/** A balancer without sockets: it records the plans that it got and does what a test requests. */
export class FakeBalancer implements BalancerDriver {
  readonly name = 'fake'
  readonly ports = { http: 0, forward: 0 }
  /** Every plan that was applied, oldest first. */
  readonly plans: RoutingPlan[] = []
  readonly released: string[] = []
  readonly cuts: string[] = []
  readonly #listeners: ((change: BalancerChange) => void)[] = []
  readonly #counted = new Map<string, Omit<InstanceNumbers, 'work'>>()
  readonly #ofServices = new Map<string, ServiceNumbers>()
  readonly #inFlight = new Map<string, InFlight>()
  #failures: Error[] = []
  #gates: Promise<void>[] = []
  readonly #queue = new KeyedQueue()
  #closed = false

  /** Names the counting of `numbers`. A test may change it, as a balancer does that counts from zero again. */
  counting = 'first'

  /** The result of `apply`: routes that could not be opened. A test may change it. */
  unserved: Unserved[] = []

  /** It does not start with its last plan. A plan that is applied ends that. */
  fails = false

  async needsPlan(): Promise<boolean> {
    return this.fails
  }

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

  /** Counts answers of an instance. */
  answers(instance: string, service: string, status: number, times = 1): void {
    const known = this.#counted.get(instance)
    const counts = known ?? { instance, service, answers: [...noAnswers], connections: 0, errors: 0 }
    counts.answers[classOf(status)] += times
    this.#counted.set(instance, counts)
  }

  /** Counts answers that the balancer made itself. */
  answersItself(service: string, status: number, times = 1): void {
    const counts = this.#ofServices.get(service) ?? { service, own: [...noAnswers], retries: 0, held: 0 }
    counts.own[classOf(status)] += times
    this.#ofServices.set(service, counts)
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
      this.fails = false
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

  numbers(): Promise<BalancerNumbers> {
    return Promise.resolve(
      structuredClone({
        counting: this.counting,
        instances: [...this.#counted.values()].map((one) => ({ ...one, work: this.inFlight(one.instance).work })),
        services: [...this.#ofServices.values()],
      }),
    )
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

const classOf = (status: number): 0 | 1 | 2 | 3 | 4 => (Math.floor(status / 100) - 1) as 0 // one of the five

function activeInstances(plan: RoutingPlan | null): Set<string> {
  const targets = plan?.routes.flatMap((route) => route.targets) ?? []
  return new Set(targets.filter(({ state }) => state === 'active').map(({ instance }) => instance))
}

function namedInstances(plan: RoutingPlan | null): Set<string> {
  return new Set(plan?.routes.flatMap((route) => route.targets.map(({ instance }) => instance)))
}
