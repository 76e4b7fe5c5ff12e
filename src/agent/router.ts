import type { BalancerDriver, Unserved } from '../drivers/balancer/balancer.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { LocalInstance } from './localInstance.ts'
import { routingPlan } from './routingPlan.ts'

interface Told {
  applied: (position: number, unserved: Unserved[]) => void
  failed: (error: unknown) => void
}

interface Latest {
  desired: DesiredState
  instances: ReadonlyMap<string, LocalInstance>
}

/** Applies routing plans one at a time; changes that come meanwhile become one next plan. */
export class Router {
  #balancer: BalancerDriver
  #tcpOffset: number
  #told: Told
  #latest: Latest | null = null
  #running: Promise<void> | null = null
  #again = false

  constructor(balancer: BalancerDriver, tcpOffset: number, told: Told) {
    this.#balancer = balancer
    this.#tcpOffset = tcpOffset
    this.#told = told
  }

  /** Resolves when a plan made of these, or of newer ones, serves or has failed. */
  route(desired: DesiredState, instances: ReadonlyMap<string, LocalInstance>): Promise<void> {
    this.#latest = { desired, instances }
    this.#again = true
    this.#running ??= this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    while (this.#again && this.#latest) {
      // What else changes in the same step goes into the same plan.
      await Promise.resolve()
      this.#again = false
      const { desired, instances } = this.#latest
      try {
        const plan = routingPlan(desired, instances, this.#tcpOffset)
        this.#told.applied(plan.position, await this.#balancer.apply(plan))
      } catch (error) {
        this.#told.failed(error)
      }
    }
    // Together with the last look at `#again`: a change that came in between would be left for the next one to bring.
    this.#running = null
  }
}
