import { expect, it } from 'vitest'
import { addressConformance } from './addressConformance.ts'
import { createFakeAddress } from './fakeAddress.ts'
import { createNoneAddress } from './noneAddress.ts'

addressConformance('none', createNoneAddress)
addressConformance('fake', createFakeAddress)

it('the fake can lose an address to another machine, and can fail', async () => {
  const fake = createFakeAddress()
  const free = { advert: 100, eligible: true, yields: [], refused: [], othersServe: false, peers: [] }
  const held = (): string[] => fake.held().map(({ address }) => address)
  let changes = 0
  fake.onChange(() => changes++)
  await fake.apply({ ...free, position: 1, addresses: ['10.0.0.50', '10.0.0.51'] })
  fake.setTaken('10.0.0.50', true)
  expect(held()).toEqual(['10.0.0.51'])
  fake.setTaken('10.0.0.50', false)
  expect(held()).toEqual(['10.0.0.50', '10.0.0.51'])
  expect(changes).toBe(2)
  fake.failNext(new Error('no'))
  await expect(fake.apply({ ...free, position: 2, addresses: [] })).rejects.toThrow('no')
  expect(held()).toEqual(['10.0.0.50', '10.0.0.51'])
})
