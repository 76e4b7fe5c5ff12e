import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AddressDriver, AddressPlan } from './address.ts'

interface Setting {
  /** Addresses that the driver may move where the tests run. */
  addresses: [string, string]
  /** A driver whose machine must first find the holder in the network takes an address only after this time. */
  withinMs: number
}

const usual: Setting = { addresses: ['10.0.0.50', '10.0.0.51'], withinMs: 1_000 }

/** The promises that every address driver keeps, the fake included. */
export function addressConformance(
  name: string,
  make: () => AddressDriver | Promise<AddressDriver>,
  { addresses: [one, two], withinMs }: Setting = usual,
): void {
  describe(`an address driver: ${name}`, () => {
    let driver: AddressDriver
    beforeEach(async () => {
      driver = await make()
    })
    afterEach(async () => {
      // Addresses that a driver keeps on purpose must not reach the next test.
      await driver.apply(plan(9, [])).catch(() => {})
      await driver.close()
    })

    const plan = (position: number, addresses: string[], over: Partial<AddressPlan> = {}): AddressPlan => {
      const free = { advert: 100, eligible: true, yields: [], refused: [], othersServe: false, peers: [] }
      return { position, addresses, ...free, ...over }
    }
    const holds = (): string[] => driver.held().map(({ address }) => address)
    const untilHeld = async (addresses: string[]): Promise<void> => {
      const wanted = driver.abilities.movesAddresses ? addresses.toSorted() : []
      await expect.poll(() => holds().toSorted(), { timeout: withinMs, interval: 10 }).toEqual(wanted)
    }

    it('holds nothing before a plan', () => {
      expect(holds()).toEqual([])
      expect(driver.withheld()).toBe(null)
    })

    it('takes the addresses of the plan while it is eligible, if it can move addresses at all', async () => {
      await driver.apply(plan(1, [one, two]))
      await untilHeld([one, two])
      for (const { since } of driver.held()) expect(new Date(since).toISOString()).toBe(since)
    })

    it('has given up an address when a plan requires that: not eligible, refused, to be given back, or not named any more', async () => {
      await driver.apply(plan(1, [one, two]))
      await untilHeld([one, two])
      driver.heard()
      await driver.apply(plan(2, [one, two], { refused: [one] }))
      await untilHeld([two])
      driver.heard()
      await driver.apply(plan(3, [one, two], { yields: [two] }))
      await untilHeld([one])
      await driver.apply(plan(4, [one, two], { eligible: false }))
      expect(holds()).toEqual([])
      await driver.apply(plan(5, [two]))
      await untilHeld([two])
      await driver.apply(plan(6, []))
      expect(holds()).toEqual([])
    })

    it('accepts the same plan twice, and close twice', async () => {
      await driver.apply(plan(1, [one]))
      await driver.apply(plan(1, [one]))
      await untilHeld([one])
      await driver.close()
      await expect(driver.close()).resolves.toBe(undefined)
    })
  })
}
