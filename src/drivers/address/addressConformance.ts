import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AddressDriver, AddressPlan } from './address.ts'

/** What every address driver promises, the fake included. */
export function addressConformance(name: string, make: () => AddressDriver): void {
  describe(`an address driver: ${name}`, () => {
    let driver: AddressDriver
    beforeEach(() => {
      driver = make()
    })
    afterEach(() => driver.close())

    const plan = (position: number, addresses: string[], eligible = true): AddressPlan => {
      return { position, addresses, eligible }
    }
    const movable = (addresses: string[]): string[] => (driver.abilities.movesAddresses ? addresses : [])

    it('holds nothing before a plan', () => {
      expect(driver.held()).toEqual([])
    })

    it('holds what the plan names while it is eligible, if it can move addresses at all', async () => {
      await driver.apply(plan(1, ['10.0.0.50', '10.0.0.51']))
      expect(driver.held()).toEqual(movable(['10.0.0.50', '10.0.0.51']))
    })

    it('lets go when it is not eligible, and of what a later plan does not name', async () => {
      await driver.apply(plan(1, ['10.0.0.50', '10.0.0.51']))
      await driver.apply(plan(2, ['10.0.0.51']))
      expect(driver.held()).toEqual(movable(['10.0.0.51']))
      await driver.apply(plan(3, ['10.0.0.51'], false))
      expect(driver.held()).toEqual([])
    })

    it('takes the same plan twice, and close twice', async () => {
      await driver.apply(plan(1, ['10.0.0.50']))
      await driver.apply(plan(1, ['10.0.0.50']))
      expect(driver.held()).toEqual(movable(['10.0.0.50']))
      await driver.close()
      await driver.close()
      expect(driver.held()).toEqual([])
    })
  })
}
