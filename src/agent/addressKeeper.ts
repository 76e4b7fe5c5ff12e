import type { AddressDriver } from '../drivers/address/address.ts'
import { coalesced, type Coalesced } from '../lib/coalesced.ts'
import type { DesiredState } from '../protocol/desiredState.ts'

interface Told {
  applied: (position: number) => void
  failed: (error: unknown) => void
}

/** Tells the address driver whether this machine may hold addresses; one plan at a time, the newest next. */
export class AddressKeeper {
  #driver: AddressDriver
  #told: Told
  #latest: DesiredState | null = null
  #plans: Coalesced

  constructor(driver: AddressDriver, told: Told) {
    this.#driver = driver
    this.#told = told
    this.#plans = coalesced(() => this.#apply())
  }

  /** Never rejects: failures are told. */
  keep(desired: DesiredState): Promise<void> {
    this.#latest = desired
    return this.#plans.ask()
  }

  async #apply(): Promise<void> {
    if (!this.#latest) return
    const { position, drained } = this.#latest
    try {
      await this.#driver.apply({ position, addresses: [], eligible: !drained })
      this.#told.applied(position)
    } catch (error) {
      this.#told.failed(error)
    }
  }
}
