import { usualAdvertMs } from '../../definitions/addresses/bounds.ts'
import type { AddressDriver, AddressPlan } from '../../drivers/address/address.ts'
import type { BalancerDriver } from '../../drivers/balancer/balancer.ts'
import { sleep, type Clock } from '../../lib/clock.ts'
import { coalesced, type Coalesced } from '../../lib/coalesced.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'

interface Told {
  applied: (position: number) => void
  failed: (error: unknown) => void
}

/**
 * Grace before an address moves on purpose: clients make their next request in this time and learn not to keep the
 * connection.
 */
export const goodbyeMs = 1_500

/**
 * Passes the address driver the addresses that this machine may hold. Plans run one at a time; the newest plan is next.
 */
export class AddressKeeper {
  #driver: AddressDriver
  #balancer: Pick<BalancerDriver, 'endKeepAlive'>
  #told: Told
  #clock: Clock
  #latest: DesiredState | null = null
  #plans: Coalesced
  /** True at the start: an earlier agent may have said goodbye and been killed before it ended the goodbye. */
  #saysGoodbye = true
  #closing = new AbortController()

  constructor(driver: AddressDriver, balancer: Pick<BalancerDriver, 'endKeepAlive'>, told: Told, clock: Clock) {
    this.#driver = driver
    this.#balancer = balancer
    this.#told = told
    this.#clock = clock
    this.#plans = coalesced(() => this.#apply())
  }

  /** Never rejects: failures are passed to `failed`. */
  keep(desired: DesiredState): Promise<void> {
    this.#latest = desired
    return this.#plans.ask()
  }

  close(): void {
    this.#closing.abort()
  }

  async #apply(): Promise<void> {
    if (!this.#latest) return
    const plan = addressPlan(this.#latest)
    try {
      await this.#applyPlan(plan)
      this.#told.applied(plan.position)
    } catch (error) {
      this.#told.failed(error)
    }
  }

  async #applyPlan(plan: AddressPlan): Promise<void> {
    const leaving = this.#driver.held().filter(({ address }) => !plan.eligible || plan.yields.includes(address))
    if (leaving.length > 0) await this.#sayGoodbye()
    try {
      await this.#driver.apply(plan)
    } finally {
      if (this.#saysGoodbye) await this.#stay()
    }
  }

  async #sayGoodbye(): Promise<void> {
    this.#saysGoodbye = true
    await this.#balancer.endKeepAlive?.(true)
    await sleep(this.#clock, goodbyeMs, this.#closing.signal)
  }

  async #stay(): Promise<void> {
    await this.#balancer.endKeepAlive?.(false)
    this.#saysGoodbye = false
  }
}

function addressPlan({ position, drained, addresses, settings, peers }: DesiredState): AddressPlan {
  return {
    ...{ position, ...addresses, eligible: !drained, addresses: settings?.addresses ?? [] },
    advert: settings?.advert ?? usualAdvertMs,
    peers: peers.map(({ machine, host }) => ({ machine, host })),
  }
}
