import type { BalancerDriver, Unserved } from '../drivers/balancer/balancer.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { LocalInstance } from './localInstance.ts'
import { routingPlan } from './routingPlan.ts'

interface Told {
  applied: (position: number, unserved: Unserved[]) => void
  failed: (error: unknown) => void
}

/** Applies routing plans one at a time; changes that come meanwhile become one next plan. */
export class Router {
  #balancer: BalancerDriver
  #tcpOffset: number
  #told: Told
  #latest: { desired: DesiredState; instances: ReadonlyMap<string, LocalInstance> } | null = null
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
    if (this.#running) {
      this.#again = true
      return this.#running
    }
    this.#running = this.#run().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #run(): Promise<void> {
    do {
      this.#again = false
      if (!this.#latest) return
      const plan = routingPlan(this.#latest.desired, this.#latest.instances, this.#tcpOffset)
      try {
        this.#told.applied(plan.position, await this.#balancer.apply(plan))
      } catch (error) {
        this.#told.failed(error)
      }
    } while (this.#again)
  }
}
