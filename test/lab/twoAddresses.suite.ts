import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AddressWatch } from './addressWatch.ts'
import type { Pair } from './pair.ts'
import { longestSilence, Probe } from './probe.ts'

const bootMs = 700_000
/** Both machines must be healthy for 10 s before an address returns. */
const returns = { interval: 100 }
const [first, second] = ['10.77.0.50', '10.77.0.51']

/** Needs a pair with service web at a virtual address that machine a holds. */
export const twoAddressesSuite = (lend: () => Promise<Pair>): void => {
  describe('two virtual addresses', () => {
    let pair: Pair
    const watches = new Map<string, AddressWatch>()
    beforeAll(async () => {
      pair = await lend()
      await pair.applyCluster({ more: `addresses: [${first}, ${second}]\n` })
      for (const address of [first, second]) watches.set(address, new AddressWatch(pair.lab, address))
      for (const watch of watches.values()) for (const name of ['a', 'b']) await watch.watch(name)
    }, bootMs)
    afterAll(async () => {
      for (const watch of watches.values()) watch.close()
      await pair?.applyCluster()
    })

    const probeOf = (address: string, load: { keepAlive: boolean; perSecond: number }): Probe =>
      new Probe(pair.lab, { url: `http://${address}/`, timeoutMs: 5_000, ...load })
    const holders = (): (string | undefined)[] =>
      [first, second].map((address) => watches.get(address)?.holders.join('+'))

    it('each prefer their own machine; one machine holds both while it is alone', async () => {
      await expect.poll(holders, returns).toEqual(['a', 'b'])
      const a = pair.lab.machine('a')
      const probes = [first, second].map((address) => probeOf(address, { keepAlive: false, perSecond: 250 }))
      try {
        await Promise.all(probes.map((probe) => probe.answered()))
        const from = Date.now()
        for (const watch of watches.values()) watch.gone('a')
        await a.kill()
        await expect.poll(holders, returns).toEqual(['b', 'b'])
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        const probed = await Promise.all(probes.map((probe) => probe.stop()))
        const silences = probed.map((one) => longestSilence(one, from))
        console.log(`power loss of one of two: ${JSON.stringify(silences)}`)
        for (const silence of silences) expect(silence).toBeLessThanOrEqual(1_000)
      } finally {
        for (const probe of probes) probe.kill()
      }
      await a.boot()
      for (const watch of watches.values()) await watch.watch('a')
    })

    it('the returning machine gets its own address back without losing a request at either address', async () => {
      const probes = [first, second].map((address) => probeOf(address, { keepAlive: true, perSecond: 250 }))
      try {
        await expect.poll(holders, returns).toEqual(['a', 'b'])
        const probed = await Promise.all(probes.map((probe) => probe.stop()))
        expect(probed.flatMap(({ failures }) => failures)).toEqual([])
        expect(probed.every(({ answers }) => answers.length > 100)).toBe(true)
      } finally {
        for (const probe of probes) probe.kill()
      }
      const { addresses } = await pair.status()
      expect(addresses.map(({ address, holder, refused }) => [address, holder, refused])).toEqual([
        [first, 'a', []],
        [second, 'b', []],
      ])
      expect(addresses[0]?.why).toContain('the address goes back')
    })
  })
}
