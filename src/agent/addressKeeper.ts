import type { AddressDriver } from '../drivers/address/address.ts'
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
  #isRunning = false

  constructor(driver: AddressDriver, told: Told) {
    this.#driver = driver
    this.#told = told
  }

  /** Never rejects: failures are told. */
  async keep(desired: DesiredState): Promise<void> {
    this.#latest = desired
    if (this.#isRunning) return
    this.#isRunning = true
    while (this.#latest) {
      const { position, drained } = this.#latest
      this.#latest = null
      try {
        await this.#driver.apply({ position, addresses: [], eligible: !drained })
        this.#told.applied(position)
      } catch (error) {
        this.#told.failed(error)
      }
    }
    this.#isRunning = false
  }
}
