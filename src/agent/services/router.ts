import type { BalancerDriver, Unserved } from '../../drivers/balancer/balancer.ts'
import { coalesced, type Coalesced } from '../../lib/coalesced.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { LocalInstance } from '../localInstance.ts'
import { routingPlan } from './routingPlan.ts'

interface Told {
  applied: (position: number, unserved: Unserved[]) => void
  failed: (error: unknown) => void
}

interface Latest {
  desired: DesiredState
  instances: ReadonlyMap<string, LocalInstance>
}

/**
 * Applies routing plans one at a time. Changes that come meanwhile, or in the same step, are merged into the next plan.
 */
export class Router {
  #balancer: BalancerDriver
  #tcpOffset: number
  #told: Told
  #latest: Latest | null = null
  #plans: Coalesced

  constructor(balancer: BalancerDriver, tcpOffset: number, told: Told) {
    this.#balancer = balancer
    this.#tcpOffset = tcpOffset
    this.#told = told
    this.#plans = coalesced(() => this.#apply())
  }

  /** Resolves when a plan made from these arguments, or from newer ones, serves or has failed. */
  route(desired: DesiredState, instances: ReadonlyMap<string, LocalInstance>): Promise<void> {
    this.#latest = { desired, instances }
    return this.#plans.ask()
  }

  async #apply(): Promise<void> {
    if (!this.#latest) return
    const { desired, instances } = this.#latest
    try {
      const plan = routingPlan(desired, instances, this.#tcpOffset)
      this.#told.applied(plan.position, await this.#balancer.apply(plan))
    } catch (error) {
      this.#told.failed(error)
    }
  }
}
