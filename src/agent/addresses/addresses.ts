import type { AddressDriver } from '../../drivers/address/address.ts'
import type { BalancerDriver } from '../../drivers/balancer/balancer.ts'
import type { Clock } from '../../lib/clock.ts'
import type { DesiredState } from '../../protocol/desiredState.ts'
import type { Applied, Report } from '../../protocol/report.ts'
import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import { AddressKeeper } from './addressKeeper.ts'

interface Parts {
  driver: AddressDriver
  balancer: Pick<BalancerDriver, 'endKeepAlive'>
  problems: Problems
  clock: Clock
  changed: () => void
}

type Slice = Pick<Report, 'addresses'>

/** The virtual addresses that this machine may hold. */
export class Addresses implements MachineFeature<Slice> {
  #parts: Parts
  #keeper: AddressKeeper
  #applied = 0
  #isClosing = false

  constructor(parts: Parts) {
    this.#parts = parts
    const { driver, balancer, problems, clock, changed } = parts
    const told = {
      applied: (position: number): void => {
        problems.solved('address')
        if (this.#applied === position) return
        this.#applied = position
        changed()
      },
      failed: (error: unknown): void => {
        if (!this.#isClosing) problems.add('address', error)
      },
    }
    this.#keeper = new AddressKeeper(driver, balancer, told, clock)
    driver.onChange(changed)
  }

  want(desired: DesiredState): void {
    void this.#keeper.keep(desired)
  }

  heard(): void {
    this.#parts.driver.heard()
  }

  report(): Slice {
    const { driver } = this.#parts
    return {
      addresses: {
        held: driver.held(),
        withheld: driver.withheld(),
        trouble: driver.trouble(),
        reaches: driver.reaches(),
      },
    }
  }

  applied(): Partial<Applied> {
    return { address: this.#applied }
  }

  retry(desired: DesiredState | null): void {
    if (desired && this.#parts.problems.has('address')) void this.#keeper.keep(desired)
  }

  problems(): string[] {
    return this.#parts.driver.problems()
  }

  stop(): void {
    this.#isClosing = true
    this.#keeper.close()
  }

  close(): Promise<void> {
    return this.#parts.driver.close()
  }
}
