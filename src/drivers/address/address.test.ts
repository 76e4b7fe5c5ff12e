import { expect, it } from 'vitest'
import { addressConformance } from './addressConformance.ts'
import { createFakeAddress } from './fakeAddress.ts'
import { createNoneAddress } from './noneAddress.ts'

addressConformance('none', createNoneAddress)
addressConformance('fake', createFakeAddress)

it('the fake can lose an address to another machine, and fail', async () => {
  const fake = createFakeAddress()
  await fake.apply({ position: 1, addresses: ['10.0.0.50', '10.0.0.51'], eligible: true })
  fake.setTaken('10.0.0.50', true)
  expect(fake.held()).toEqual(['10.0.0.51'])
  fake.setTaken('10.0.0.50', false)
  expect(fake.held()).toEqual(['10.0.0.50', '10.0.0.51'])
  fake.failNext(new Error('no'))
  await expect(fake.apply({ position: 2, addresses: [], eligible: true })).rejects.toThrow('no')
  expect(fake.held()).toEqual(['10.0.0.50', '10.0.0.51'])
})
